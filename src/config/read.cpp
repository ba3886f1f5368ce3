#include "config/read.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "config/fields.hpp"
#include "config/suggest.hpp"

namespace ossau {
namespace {

std::string join_key(const std::string& prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

// Every dotted key of the table, sections included.
class KeyLister {
 public:
  template <typename Codec, typename T>
  void field(std::string_view key, const Codec&, const T&, std::string_view) {
    keys_.push_back(join_key(prefix_, key));
  }
  template <typename T, typename Walk>
  void section(std::string_view key, T& value, Walk walk, std::string_view) {
    const std::string outer = std::exchange(prefix_, join_key(prefix_, key));
    keys_.push_back(prefix_);
    walk(*this, value);
    prefix_ = outer;
  }
  template <typename T, typename Walk>
  void optional_section(std::string_view key, const std::optional<T>&, Walk walk,
                        std::string_view help) {
    T any{};
    section(key, any, walk, help);
  }
  std::vector<std::string> take() { return std::move(keys_); }

 private:
  std::string prefix_;
  std::vector<std::string> keys_;
};

std::vector<std::string> all_keys() {
  Config config;
  KeyLister lister;
  visit_fields(lister, config);
  return lister.take();
}

// The other place where a key of this name lives: `epochs` is training.epochs.
std::string homonym(std::string_view key) {
  for (const std::string& known : all_keys()) {
    const std::size_t dot = known.rfind('.');
    if (dot != std::string::npos && std::string_view(known).substr(dot + 1) == key) return known;
  }
  return "";
}

class FieldReader {
 public:
  FieldReader(const Node& root, Places& places, Problems& problems)
      : map_(&root), places_(places), problems_(problems) {}

  template <typename Codec, typename T>
  void field(std::string_view key, const Codec& codec, T& value, std::string_view) {
    if (const Entry* entry = take(key)) {
      codec.read({entry->value, join_key(prefix_, key), codec.allowed(), problems_}, value);
    }
  }

  template <typename T, typename Walk>
  void section(std::string_view key, T& value, Walk walk, std::string_view) {
    if (const Entry* entry = take(key)) read_section(*entry, value, walk);
  }

  template <typename T, typename Walk>
  void optional_section(std::string_view key, std::optional<T>& value, Walk walk,
                        std::string_view) {
    const Entry* entry = take(key);
    if (entry == nullptr) return;
    value.reset();
    if (entry->value.kind != NodeKind::kNull) read_section(*entry, value.emplace(), walk);
  }

  /// Reports what the table did not ask for.
  void report_unknown() const {
    for (const Entry& entry : map_->entries) {
      bool known = false;
      for (const std::string& key : known_) known = known || key == entry.key;
      if (!known) problems_.add(entry.place, join_key(prefix_, entry.key), unknown(entry.key));
    }
  }

 private:
  const Entry* take(std::string_view key) {
    known_.emplace_back(key);
    const Entry* entry = find_entry(*map_, key);
    if (entry != nullptr) places_[join_key(prefix_, key)] = entry->place;
    return entry;
  }

  template <typename T, typename Walk>
  void read_section(const Entry& entry, T& value, Walk walk) {
    const std::string path = join_key(prefix_, entry.key);
    if (entry.value.kind == NodeKind::kNull) return;  // `data:` and nothing below
    if (entry.value.kind != NodeKind::kMap) {
      problems_.add(entry.value.place, path,
                    fmt::format("{} stands where keys are expected (write them below, indented)",
                                describe(entry.value)));
      return;
    }
    FieldReader inner(entry.value, places_, problems_);
    inner.prefix_ = path;
    walk(inner, value);
    inner.report_unknown();
  }

  std::string unknown(const std::string& key) const {
    const std::string elsewhere = homonym(key);
    const std::string near = elsewhere.empty() ? nearest(key, known_) : elsewhere;
    if (!near.empty()) return fmt::format("unknown key (did you mean {}?)", near);
    return fmt::format("unknown key (known here: {})", fmt::join(known_, ", "));
  }

  const Node* map_;
  std::string prefix_;
  std::vector<std::string> known_;
  Places& places_;
  Problems& problems_;
};

}  // namespace

Places read_fields(const Node& root, Config& config, Problems& problems) {
  Places places;
  if (root.kind == NodeKind::kNull) return places;
  if (root.kind != NodeKind::kMap) {
    problems.add(root.place, "",
                 fmt::format("{} stands where sections are expected (start with `data:`; "
                             "`ossau config` prints every key)",
                             describe(root)));
    return places;
  }
  FieldReader reader(root, places, problems);
  visit_fields(reader, config);
  reader.report_unknown();
  return places;
}

}  // namespace ossau
