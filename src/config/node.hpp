#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ossau {

/// Where a value was written: `train.yaml:12` or `override 'training.epochs=3'`.
struct Place {
  std::string text;
  int order = 0;  // problems are listed by it: lines of the file, then overrides
};

enum class NodeKind { kNull, kScalar, kList, kMap };

struct Entry;

/// A value as written, before anybody knows its type: what the reader and the printers share.
struct Node {
  NodeKind kind = NodeKind::kNull;
  std::string text;            // kScalar
  bool quoted = false;         // kScalar: text for sure, never a number, a truth value or null
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap, in the order written
  Place place;
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

inline Node plain_node(std::string text) {
  Node node;
  node.kind = NodeKind::kScalar;
  node.text = std::move(text);
  return node;
}

inline Node text_node(std::string text) {
  Node node = plain_node(std::move(text));
  node.quoted = true;
  return node;
}

inline Node map_node() {
  Node node;
  node.kind = NodeKind::kMap;
  return node;
}

inline Entry* find_entry(Node& map, std::string_view key) {
  for (Entry& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

inline const Entry* find_entry(const Node& map, std::string_view key) {
  for (const Entry& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

}  // namespace ossau
