#include "config/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

namespace ossau {
namespace {

// yaml-cpp's own tree forgets duplicate keys and expands aliases (in cycles, too); its events show
// the document as written.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::function<Place(int)>& place_of, Problems& problems)
      : place_of_(place_of), problems_(problems) {}

  Node take_root() { return std::move(root_); }
  Place place(const YAML::Mark& mark) const { return place_of_(std::max(mark.line, 0) + 1); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      problems_.add(place(mark), "",
                    "text after the end of the YAML document (keep one document: check quotes, "
                    "indentation and lines `---`)");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    attach(begin(NodeKind::kNull, mark, ""));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problems_.add(place(mark), path(), "YAML aliases are not supported (write the value out)");
    attach(begin(NodeKind::kNull, mark, ""));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    Node node = begin(NodeKind::kScalar, mark, tag);
    node.text = value;
    node.quoted = tag != "?" && !tag.empty();
    attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open_.push_back({begin(NodeKind::kList, mark, tag), {}});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open_.push_back({begin(NodeKind::kMap, mark, tag), {}});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Key {
    std::string text;
    Place place;
    bool usable = true;
  };
  struct Open {
    Node node;
    std::optional<Key> key;  // of a map: read, its value not yet
  };

  Node begin(NodeKind kind, const YAML::Mark& mark, const std::string& tag) {
    // "?" and "!" stand for plain and quoted scalars without a tag of their own.
    const bool known = tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!known) {
      problems_.add(place(mark), path(),
                    fmt::format("the YAML tag {} is not supported (remove it)", tag));
    }
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  std::string path() const {
    std::string joined;
    for (const Open& open : open_) {
      if (!open.key || open.key->text.empty()) continue;
      if (!joined.empty()) joined += '.';
      joined += open.key->text;
    }
    return joined;
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void attach(Node node) {
    if (open_.empty()) {
      if (documents_ <= 1) root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == NodeKind::kList) {
      open.node.items.push_back(std::move(node));
    } else if (!open.key) {
      take_key(open, std::move(node));
    } else {
      // An empty value is found where the next token stands, maybe lines below.
      if (node.kind == NodeKind::kNull) node.place = open.key->place;
      if (open.key->usable) {
        open.node.entries.push_back({open.key->text, open.key->place, std::move(node)});
      }
      open.key.reset();
    }
  }

  void take_key(Open& open, Node node) {
    const Place place = node.place;
    if (node.kind != NodeKind::kScalar) {
      problems_.add(place, path(), "a key must be text (quote it where text is meant)");
      open.key = Key{"", place, false};
      return;
    }
    const Entry* first = find_entry(open.node, node.text);
    open.key = Key{std::move(node.text), place, first == nullptr};
    if (first != nullptr) {
      problems_.add(place, path(),
                    fmt::format("duplicate key (first at {}; keep one)", first->place.text));
    }
  }

  const std::function<Place(int)>& place_of_;
  Problems& problems_;
  std::vector<Open> open_;
  Node root_;
  int documents_ = 0;
};

std::string remedy(const std::string& message) {
  if (message.find("anchor") != std::string::npos) {
    return " (quote a value that starts with * or &: \"*.csv\")";
  }
  if (message.find("tab") != std::string::npos) return " (indent by spaces)";
  return "";
}

}  // namespace

std::optional<Node> parse_yaml(const std::string& text,
                               const std::function<Place(int line)>& place_of, Problems& problems) {
  TreeBuilder builder(place_of, problems);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    // At most twice: the builder reports a second document, and after some malformed texts yaml-cpp
    // finds another one at the same place for ever.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    problems.add(builder.place(error.mark), "",
                 fmt::format("not valid YAML: {}{}", error.msg, remedy(error.msg)));
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace ossau
