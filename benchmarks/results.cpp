#include "results.hpp"

#include <fmt/format.h>

#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace ossau::bench {
namespace {

using Json = nlohmann::ordered_json;

Json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(fmt::format("{}: cannot be read", file.string()));
  try {
    return Json::parse(stream);
  } catch (const Json::exception& error) {
    throw std::runtime_error(fmt::format("{}: {}", file.string(), error.what()));
  }
}

// Google Benchmark and the results file call the numbers of a row the same.
Quartiles read_quartiles(const Json& row, const std::string& name) {
  return {.median = row.at(name), .low = row.at(name + "_low"), .high = row.at(name + "_high")};
}

void write_quartiles(const Quartiles& quartiles, const std::string& name, Json& row) {
  row[name] = quartiles.median;
  row[name + "_low"] = quartiles.low;
  row[name + "_high"] = quartiles.high;
}

Row read_row(const Json& json, const std::string& reference) {
  Row row;
  const std::string name = json.at("name");
  row.name = name.substr(0, name.find("/iterations:"));
  row.reference = reference;
  row.threads = static_cast<std::int64_t>(json.at("threads").get<double>());
  row.pairs = static_cast<std::int64_t>(json.at("pairs").get<double>());
  row.work_s = read_quartiles(json, "work_s");
  row.reference_s = read_quartiles(json, "reference_s");
  row.share = read_quartiles(json, "share");
  row.bytes = json.at("bytes");
  row.reference_bytes = json.at("reference_bytes");
  row.flops = json.at("flops");
  row.entries = json.at("entries");
  if (json.contains("bound_s")) row.bound_s = json.at("bound_s").get<double>();
  return row;
}

Json row_json(const Row& row) {
  Json json{{"name", row.name},
            {"threads", row.threads},
            {"pairs", row.pairs},
            {"reference", row.reference}};
  write_quartiles(row.work_s, "work_s", json);
  write_quartiles(row.reference_s, "reference_s", json);
  write_quartiles(row.share, "share", json);
  json["bytes"] = row.bytes;
  json["reference_bytes"] = row.reference_bytes;
  json["flops"] = row.flops;
  json["entries"] = row.entries;
  if (row.bound_s) json["bound_s"] = *row.bound_s;
  return json;
}

Machine read_machine(const Json& json) {
  return {.processor = json.at("processor"),
          .cores = json.at("cores"),
          .caches = json.at("caches"),
          .memory_bytes = json.at("memory_bytes"),
          .kernel = json.at("kernel")};
}

Json machine_json(const Machine& machine) {
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"caches", machine.caches},
          {"memory_bytes", machine.memory_bytes},
          {"kernel", machine.kernel}};
}

// Lower-case words joined by hyphens.
std::string slug(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0) {
      result += static_cast<char>(std::tolower(letter));
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  while (result.ends_with('-')) result.pop_back();
  return result;
}

}  // namespace

std::string Row::program() const { return name.substr(0, name.find('/')); }

std::string Row::subject() const {
  const std::size_t begin = name.find('/') + 1;
  return name.substr(begin, name.find("/threads=") - begin);
}

void add_program_output(const std::filesystem::path& file, Results& results) {
  const Json json = read_json(file);
  try {
    results.simd = json.at("context").at("simd");
    results.quick = json.at("context").at("quick") == "yes";
    for (const Json& row : json.at("benchmarks")) {
      results.rows.push_back(read_row(row, row.at("label")));
    }
  } catch (const Json::exception& error) {
    throw std::runtime_error(
        fmt::format("{}: not what these benchmarks write ({})", file.string(), error.what()));
  }
}

Results read_results(const std::filesystem::path& file) {
  const Json json = read_json(file);
  try {
    Results results{.date = json.at("date"),
                    .machine = read_machine(json.at("machine")),
                    .compiler = json.at("compiler"),
                    .commit = json.at("commit"),
                    .modified = json.at("modified"),
                    .simd = json.at("simd"),
                    .quick = json.at("quick"),
                    .rows = {}};
    for (const Json& row : json.at("rows")) {
      results.rows.push_back(read_row(row, row.at("reference")));
    }
    return results;
  } catch (const Json::exception& error) {
    throw std::runtime_error(
        fmt::format("{}: not a results file ({})", file.string(), error.what()));
  }
}

void write_results(const std::filesystem::path& file, const Results& results) {
  Json json{{"date", results.date},         {"machine", machine_json(results.machine)},
            {"compiler", results.compiler}, {"commit", results.commit},
            {"modified", results.modified}, {"simd", results.simd},
            {"quick", results.quick},       {"rows", Json::array()}};
  for (const Row& row : results.rows) json["rows"].push_back(row_json(row));
  std::ofstream stream(file);
  stream << json.dump(1) << '\n';
  if (!stream.flush()) throw std::runtime_error(fmt::format("{}: not written", file.string()));
}

std::string results_file_name(const Results& results) {
  return fmt::format("{}-{}-{}-cores.json", results.date, slug(results.machine.processor),
                     results.machine.cores);
}

}  // namespace ossau::bench
