#include "data/text/peers.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

#include "data/text/packing.hpp"

namespace ossau {
namespace {

void pack(Packer& packer, const TextPlace& place) {
  packer.add(place.file);
  packer.add(place.byte);
  packer.add(place.where);
}

TextPlace unpack_place(Unpacker& unpacker) {
  TextPlace place;
  place.file = unpacker.number();
  place.byte = unpacker.number();
  place.where = unpacker.text();
  return place;
}

std::vector<LabelSet::Label> labels_of_all(const Peers& peers, const LabelSet& mine) {
  Packer packer;
  for (const LabelSet::Label& label : mine.labels()) {
    packer.add(label.text);
    pack(packer, label.first);
  }
  std::vector<LabelSet::Label> all;
  for (const std::string& packed : peers.gather(packer.take(), "labels")) {
    for (Unpacker unpacker(packed); !unpacker.done();) {
      LabelSet::Label label;
      label.text = unpacker.text();
      label.first = unpack_place(unpacker);
      all.push_back(std::move(label));
    }
  }
  return all;
}

void sort_once(std::vector<std::string>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

}  // namespace

std::vector<std::string> Peers::gather(std::string mine, std::string_view operation) const {
  if (alone()) return {std::move(mine)};
  std::vector<std::string> all = gather_(std::move(mine), operation);
  assert(static_cast<std::int64_t>(all.size()) == share_.process.size);
  return all;
}

void unite_sums(const Peers& peers, std::vector<std::int64_t>& values, std::string_view operation) {
  if (peers.alone()) return;
  Packer packer;
  for (std::int64_t& value : values) packer.add(std::exchange(value, 0));
  for (const std::string& packed : peers.gather(packer.take(), operation)) {
    Unpacker unpacker(packed);
    for (std::int64_t& value : values) value += unpacker.number();
  }
}

std::int64_t unite_max(const Peers& peers, std::int64_t value, std::string_view operation) {
  Packer packer;
  packer.add(value);
  for (const std::string& packed : peers.gather(packer.take(), operation)) {
    value = std::max(value, Unpacker(packed).number());
  }
  return value;
}

void unite(const Peers& peers, Skipped& skipped, std::string_view operation) {
  if (peers.alone()) return;
  Packer packer;
  packer.add(skipped.count);
  pack(packer, skipped.first);
  packer.add(skipped.example);
  skipped = {};
  for (const std::string& packed : peers.gather(packer.take(), operation)) {
    Unpacker unpacker(packed);
    const std::int64_t count = unpacker.number();
    TextPlace first = unpack_place(unpacker);
    if (count > 0 && (skipped.count == 0 || first.before(skipped.first))) {
      skipped.first = std::move(first);
      skipped.example = unpacker.text();
    }
    skipped.count += count;
  }
}

void unite(const Peers& peers, LabelSet& labels, Table& table) {
  if (peers.alone()) return;
  std::vector<LabelSet::Label> all = labels_of_all(peers, labels);
  std::stable_sort(all.begin(), all.end(), [](const LabelSet::Label& a, const LabelSet::Label& b) {
    return a.first.before(b.first);
  });
  LabelSet united;
  for (LabelSet::Label& label : all) united.add(std::move(label));
  std::array<std::uint8_t, 2> number = {0, 1};
  for (std::size_t id = 0; id < labels.labels().size(); ++id) {
    number.at(id) = united.add(labels.labels()[id]);
  }
  apply_classes(table, number);
  labels = std::move(united);
}

void unite(const Peers& peers, std::vector<std::vector<std::string>>& lists,
           std::string_view operation) {
  if (!peers.alone()) {
    Packer packer;
    for (std::vector<std::string>& list : lists) {
      packer.add(static_cast<std::int64_t>(list.size()));
      for (const std::string& text : list) packer.add(text);
      list.clear();
    }
    for (const std::string& packed : peers.gather(packer.take(), operation)) {
      Unpacker unpacker(packed);
      for (std::vector<std::string>& list : lists) {
        const std::int64_t size = unpacker.number();
        for (std::int64_t i = 0; i < size; ++i) list.emplace_back(unpacker.text());
      }
    }
  }
  for (std::vector<std::string>& list : lists) sort_once(list);
}

}  // namespace ossau
