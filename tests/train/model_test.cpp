#include "train/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/safetensors.hpp"
#include "core/sha256.hpp"
#include "ossau/error.hpp"
#include "support/files.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Model csv_model() {
  Model model;
  model.weights = {0.5, -2.0, 0.0};
  model.intercept = 0.25;
  model.shift = {10.0, 0.0, 3.0};
  model.scale = {0.125, 1.0, 2.0};
  model.exponent = {3, 0, -4};
  model.schema.format = Format::kCsv;
  model.schema.delimiter = ';';
  model.schema.header = true;
  model.schema.label_column = "churn";
  model.schema.weight_column = "w";
  model.schema.columns = {{"âge", false, {}}, {"state", true, {"KS", "OH"}}};
  model.schema.feature_names = {"âge", "state=KS", "state=OH"};
  model.schema.classes = {"no", "yes \"quoted\""};
  model.layout = Layout::kSparse;
  model.config.model.l2 = 1e-4;
  model.config.training.epochs = 7;
  model.config.optimizer.learning_rate = 0.1;
  return model;
}

Model libsvm_model(std::size_t n_features) {
  Model model;
  model.weights.assign(n_features, 1.0);
  model.intercept = 0.0;
  model.shift.assign(n_features, 0.0);
  model.scale.assign(n_features, 1.0);
  model.exponent.assign(n_features, 0);
  model.schema.format = Format::kLibsvm;
  model.schema.zero_based = true;
  for (std::size_t j = 0; j < n_features; ++j) {
    model.schema.feature_names.push_back("f" + std::to_string(j));
  }
  model.schema.classes = {"-1", "+1"};
  return model;
}

// What load_model says of a model file whose tensors and metadata `change` has altered, with a
// checksum that fits: damage is another matter.
template <typename Change>
std::string problem_after(Change change) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  save_model(csv_model(), file);
  {
    const Safetensors saved = load_safetensors(file);
    TensorViews tensors = saved.tensors();
    TensorMetadata metadata = saved.metadata();
    change(tensors, metadata);
    save_safetensors(file, tensors, metadata);
  }
  try {
    load_model(file);
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(file.string())) << "names the file";
    return error.what();
  }
  return "";
}

TEST(Model, ComesBackAsItWasSaved) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  const Model model = csv_model();
  save_model(model, file);
  const Model loaded = load_model(file);

  EXPECT_EQ(loaded.weights, model.weights);
  EXPECT_EQ(loaded.intercept, model.intercept);
  EXPECT_EQ(loaded.shift, model.shift);
  EXPECT_EQ(loaded.scale, model.scale);
  EXPECT_EQ(loaded.exponent, model.exponent);
  EXPECT_EQ(loaded.layout, Layout::kSparse);
  EXPECT_EQ(loaded.config.model.l2, 1e-4);
  EXPECT_EQ(loaded.config.training.epochs, 7);
  EXPECT_EQ(loaded.config.optimizer.learning_rate, 0.1);
}

TEST(Model, SaysHowNearTheOptimumItIs) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  Model model = csv_model();
  save_model(model, file);
  EXPECT_FALSE(load_model(file).convergence.has_value());
  for (const double gap : {1.5e-7, std::numeric_limits<double>::infinity()}) {
    model.convergence = Convergence{.gap = gap, .certified = gap < 1, .converged = gap < 1};
    save_model(model, file);
    const Convergence loaded = load_model(file).convergence.value();
    EXPECT_EQ(loaded.gap, gap);
    EXPECT_EQ(loaded.certified, gap < 1);
    EXPECT_EQ(loaded.converged, gap < 1);
  }
  EXPECT_THAT(problem_after([](TensorViews&, TensorMetadata& metadata) {
                metadata["convergence"] = R"({"gap": "small"})";
              }),
              HasSubstr("metadata: "));
}

TEST(Model, KeepsHowACsvFileWasRead) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  save_model(csv_model(), file);
  const Schema schema = load_model(file).schema;

  EXPECT_EQ(schema.format, Format::kCsv);
  EXPECT_EQ(schema.delimiter, ';');
  EXPECT_TRUE(schema.header);
  EXPECT_EQ(schema.label_column, "churn");
  EXPECT_EQ(schema.weight_column, "w");
  ASSERT_EQ(schema.columns.size(), 2U);
  EXPECT_EQ(schema.columns[0].name, "âge");
  EXPECT_FALSE(schema.columns[0].categorical);
  EXPECT_EQ(schema.columns[1].name, "state");
  EXPECT_TRUE(schema.columns[1].categorical);
  EXPECT_THAT(schema.columns[1].categories, ElementsAre("KS", "OH"));
  EXPECT_THAT(schema.feature_names, ElementsAre("âge", "state=KS", "state=OH"));
  EXPECT_THAT(schema.classes, ElementsAre("no", "yes \"quoted\""));
}

TEST(Model, KeepsHowALibsvmFileWasReadInLittleSpace) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  const Model model = libsvm_model(5000);
  save_model(model, file);
  const Schema schema = load_model(file).schema;
  EXPECT_EQ(schema.format, Format::kLibsvm);
  EXPECT_TRUE(schema.zero_based);
  EXPECT_EQ(schema.feature_names, model.schema.feature_names);
  EXPECT_LT(load_safetensors(file).metadata("feature_names").size(), 100U);
}

TEST(Model, KeepsLibsvmNamesThatAreNotNumberedInOrder) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  for (const auto& names : std::vector<std::vector<std::string>>{{"f1", "f3"},
                                                                 {"f01", "f02"},
                                                                 {"a", "b"},
                                                                 {"f9", "g10"},
                                                                 {"f99999999999999999999", "f2"}}) {
    Model model = libsvm_model(2);
    model.schema.feature_names = names;
    save_model(model, file);
    EXPECT_EQ(load_model(file).schema.feature_names, names);
  }
}

TEST(Model, WithoutFeaturesIsAModelToo) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  save_model(libsvm_model(0), file);
  EXPECT_EQ(load_model(file).n_features(), 0);
}

TEST(Model, EqualModelsGiveEqualBytesAndTheirHash) {
  const test::TemporaryDirectory directory;
  const std::string first = save_model(csv_model(), directory.path() / "a");
  const std::string second = save_model(csv_model(), directory.path() / "b");
  EXPECT_EQ(first, second);
  EXPECT_EQ(test::read_file(directory.path() / "a"), test::read_file(directory.path() / "b"));
  EXPECT_EQ(first, sha256_hex(test::read_file(directory.path() / "a")));
}

TEST(Model, SaysNothingOfWhereOrHowItRan) {
  const test::TemporaryDirectory directory;
  Model model = csv_model();
  const std::string before = save_model(model, directory.path() / "a");
  model.config.run.directory = "somewhere/else";
  model.config.run.threads = 17;
  model.config.run.ranks = 3;
  model.config.run.simd = Simd::kScalar;
  model.config.communication.timeout_s = 1;
  model.config.data.train = {"/another/path.csv"};
  model.config.data.validation = {"/a/third.csv"};
  EXPECT_EQ(save_model(model, directory.path() / "b"), before);
  model.config.model.l2 = 2e-4;
  EXPECT_NE(save_model(model, directory.path() / "b"), before);
}

TEST(Model, DoesNotDependOnTheCallersRounding) {
  const test::TemporaryDirectory directory;
  Model model = csv_model();
  model.weights = {0.1, -0.2, 0.3};
  model.scale = {1.0 / 3, 1.0 / 7, 1.0 / 9};
  model.config.model.l2 = 0.1;
  const std::string before = save_model(model, directory.path() / "a");
  for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(rounding);
    const std::string hash = save_model(model, directory.path() / "b");
    const double l2 = *load_model(directory.path() / "b").config.model.l2;
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(hash, before);
    EXPECT_EQ(l2, 0.1);
  }
}

TEST(Model, RawCoefficientsScoreRawColumnsTheSame) {
  const Model model = csv_model();
  const RawCoefficients raw = raw_coefficients(model);
  // Powers of two throughout, so the folding is exact.
  EXPECT_THAT(raw.weights, ElementsAre(0.0625, -2.0, 0.0));
  EXPECT_EQ(raw.intercept, 0.25 - 0.625);
}

TEST(Model, CarriesRawCoefficientsForOtherReaders) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  const Model model = csv_model();
  save_model(model, file);
  const Safetensors saved = load_safetensors(file);
  EXPECT_EQ(saved.values<double>("raw_weights", {1, 3}), raw_coefficients(model).weights);
  EXPECT_THAT(saved.values<double>("raw_intercept", {1}),
              ElementsAre(raw_coefficients(model).intercept));
  EXPECT_EQ(saved.metadata("format"), "ossau");
  EXPECT_EQ(saved.metadata("exact"), "1");
  EXPECT_EQ(nlohmann::json::parse(saved.metadata("feature_names")).size(), 3U);
}

TEST(Model, NamesThatAreNotUtf8CanBeSavedAndLoaded) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  Model model = csv_model();
  model.schema.feature_names[0] = "\xe2ge";
  save_model(model, file);
  EXPECT_EQ(load_model(file).schema.feature_names[0], "\xef\xbf\xbdge");
}

TEST(Model, RefusesADamagedFile) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  save_model(csv_model(), file);
  std::string content = test::read_file(file);
  content.back() = static_cast<char>(content.back() ^ 1);
  directory.write("model.safetensors", content);
  EXPECT_THROW(load_model(file), DataError);
}

TEST(Model, RefusesAnotherArithmeticWithTheRemedy) {
  EXPECT_THAT(
      problem_after([](TensorViews&, TensorMetadata& metadata) { metadata["exact"] = "2"; }),
      AllOf(HasSubstr("exact-2"), HasSubstr("knows exact-1"), HasSubstr("train again")));
}

TEST(Model, RefusesATensorFileThatIsNoModel) {
  EXPECT_THAT(problem_after([](TensorViews&, TensorMetadata& metadata) { metadata.clear(); }),
              HasSubstr("not a model that Ossau wrote"));
}

TEST(Model, RefusesTensorsThatDoNotFitEachOther) {
  EXPECT_THAT(problem_after([](TensorViews& tensors, TensorMetadata&) { tensors.erase("shift"); }),
              HasSubstr("no vector \"shift\""));
  EXPECT_THAT(problem_after([](TensorViews& tensors, TensorMetadata&) { tensors.erase("scale"); }),
              HasSubstr("no tensor \"scale\""));
  EXPECT_THAT(problem_after([](TensorViews& tensors, TensorMetadata&) {
                tensors["weights"].shape = {3, 1};
              }),
              HasSubstr("tensor \"weights\" is F64 [3, 1], expected F64 [1, 3]"));
}

TEST(Model, RefusesNumbersThatAreNotFinite) {
  const std::vector<double> bad = {1, std::numeric_limits<double>::quiet_NaN(), 1};
  EXPECT_THAT(problem_after([&](TensorViews& tensors, TensorMetadata&) {
                tensors["weights"] = tensor_view(std::span(bad), {1, 3});
              }),
              HasSubstr("tensor \"weights\" holds nan"));
}

TEST(Model, RefusesMetadataThatDoesNotFit) {
  const auto with = [](const char* key, const char* value) {
    return problem_after([&](TensorViews&, TensorMetadata& metadata) { metadata[key] = value; });
  };
  EXPECT_THAT(with("feature_names", R"(["a"])"), HasSubstr("1 feature names for 3 features"));
  EXPECT_THAT(with("feature_names", R"({"prefix":"f","first":1,"count":1000000000000})"),
              HasSubstr("feature names for 3 features"));
  EXPECT_THAT(with("feature_names", "7"), HasSubstr("metadata"));
  EXPECT_THAT(with("classes", R"(["one"])"), HasSubstr("1 classes, expected 2"));
  EXPECT_THAT(with("classes", R"(["a", "b", "c"])"), HasSubstr("3 classes, expected 2"));
  EXPECT_THAT(with("classes", R"([1, 2])"), HasSubstr("metadata"));
  EXPECT_THAT(with("layout", "auto"), HasSubstr("layout \"auto\" is not dense or sparse"));
  EXPECT_THAT(with("schema", R"({"format":"xml"})"), HasSubstr("format \"xml\""));
  EXPECT_THAT(with("schema", R"({})"), HasSubstr("metadata"));
  EXPECT_THAT(with("schema", R"({"a":1,"a":2})"), HasSubstr("key \"a\" appears twice"));
  EXPECT_THAT(with("config", R"({"model":{"l2":"much"}})"), HasSubstr("model"));
}

}  // namespace
}  // namespace ossau
