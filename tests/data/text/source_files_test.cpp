#include "data/text/source_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "data/text/decompress.hpp"
#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(SourceFiles, CountLinesAndColumnsFromOne) {
  const SourceText file{"a.csv", "ab\ncde\n"};
  EXPECT_EQ(file.where(file.text.data()), "a.csv:1:1");
  EXPECT_EQ(file.where(file.text.data() + 2), "a.csv:1:3");
  EXPECT_EQ(file.where(file.text.data() + 5), "a.csv:2:3");
  EXPECT_EQ(file.where_line(file.text.data() + 7), "a.csv:3");
}

TEST(SourceFiles, RefuseTextThatIsNotUtf8) {
  const TemporaryDirectory folder;
  const auto error_of = [&](const std::string& text) {
    const std::string path = folder.write("a.csv", text).string();
    return data_error([&] { read_source(path); });
  };
  EXPECT_THAT(error_of("y,caf\xe9\n"),
              HasSubstr("a.csv:1:6: byte 0xe9 is not UTF-8 (convert the file, for example with "
                        "iconv -f latin1 -t utf-8)"));
  EXPECT_THAT(error_of("0123456789\n\xc0\xaf"), HasSubstr(":2:1: byte 0xc0"));  // overlong
  EXPECT_THAT(error_of("\xed\xa0\x80"), HasSubstr(":1:1: byte 0xed"));          // surrogate
  EXPECT_THAT(error_of("\xf4\x90\x80\x80"), HasSubstr(":1:1: byte 0xf4"));      // too large
  EXPECT_THAT(error_of("ab\xe2\x82"), HasSubstr(":1:3: byte 0xe2"));            // cut off
  const std::string fine = folder.write("b.csv", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z").string();
  EXPECT_EQ(read_source(fine).text.size(), 11u);
}

TEST(SourceFiles, ExpandGlobsInBytewiseOrder) {
  const TemporaryDirectory folder;
  for (const char* name : {"b.csv", "a.csv", "B.csv", "c.txt"}) folder.write(name, "x");
  const std::string base = folder.path().string() + "/";
  EXPECT_EQ(
      expand_paths({base + "*.csv", base + "c.txt"}, "data.train"),
      (std::vector<std::string>{base + "B.csv", base + "a.csv", base + "b.csv", base + "c.txt"}));
}

TEST(SourceFiles, TakeAnExistingNameWithABracketAsItIs) {
  const TemporaryDirectory folder;
  const std::string path = folder.write("part[1].csv", "x").string();
  EXPECT_EQ(expand_paths({path}, "data.train"), std::vector<std::string>{path});
}

TEST(SourceFiles, AGlobWithoutMatchIsAnError) {
  const TemporaryDirectory folder;
  const std::string message =
      data_error([&] { expand_paths({folder.path().string() + "/*.csv"}, "data.train"); });
  EXPECT_THAT(message, HasSubstr("data.train: no file matches \""));
}

TEST(SourceFiles, AFolderThatIsGoneIsNoReasonToCrash) {
  const fs::path before = fs::current_path();
  const TemporaryDirectory folder;
  const fs::path gone = folder.path() / "gone";
  fs::create_directory(gone);
  fs::current_path(gone);
  fs::remove(gone);
  const std::string of_glob = data_error([] { expand_paths({"*.csv"}, "data.train"); });
  const std::string of_file = data_error([] { read_source("none.csv"); });
  fs::current_path(before);
  EXPECT_NE(of_glob, "no error");
  EXPECT_THAT(of_file, HasSubstr("(paths start at a folder that is gone)"));
}

TEST(SourceFiles, LinesThatEndInCarriageReturnsOnlyAreAnError) {
  const TemporaryDirectory folder;
  for (const char* text : {"y,x\r1,2\r0,3\r", "y,x\r1,2"}) {
    const std::string path = folder.write("a.csv", text).string();
    EXPECT_EQ(data_error([&] { read_source(path); }),
              path + ": line ends are CR only (convert the file, for example with tr '\\r' '\\n')");
  }
  for (const char* text : {"y,x\r", "\r\r", "y,x\r\n1,2\r"}) {
    EXPECT_EQ(read_source(folder.write("b.csv", text).string()).text, text);
  }
}

TEST(SourceFiles, AMissingFileIsAnErrorWithTheReason) {
  const TemporaryDirectory folder;
  const std::string path = folder.path().string() + "/none.csv";
  EXPECT_EQ(data_error([&] { read_source(path); }),
            path + ": cannot read the file: No such file or directory");
  EXPECT_EQ(data_error([] { read_source("none.csv"); }),
            "none.csv: cannot read the file: No such file or directory (paths start at " +
                fs::current_path().string() + ")");
}

TEST(SourceFiles, AFolderIsAnErrorWithTheReason) {
  const TemporaryDirectory folder;
  EXPECT_THAT(data_error([&] { read_source(folder.path().string()); }),
              HasSubstr(": cannot read the file: Is a directory (name its files"));
}

TEST(SourceFiles, AnUnreadableFileIsAnErrorWithTheReason) {
  const TemporaryDirectory folder;
  const fs::path path = folder.write("secret.csv", "x");
  fs::permissions(path, fs::perms::none);
  const bool root = geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (root && seteuid(kNobody) != 0) GTEST_SKIP() << "root may read everything";
  const std::string message = data_error([&] { read_source(path.string()); });
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_THAT(message,
              HasSubstr(": cannot read the file: Permission denied (check its permissions)"));
}

TEST(SourceFiles, PipesAreReadToTheirEnd) {
  const TemporaryDirectory folder;
  const std::string path = folder.path().string() + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const std::string text(200000, 'x');
  const pid_t writer = fork();
  if (writer == 0) {
    std::FILE* out = std::fopen(path.c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
    _exit(0);
  }
  EXPECT_EQ(read_source(path).text, text);
}

TEST(SourceFiles, LoseTheirByteOrderMark) {
  const TemporaryDirectory folder;
  EXPECT_EQ(read_source(folder.write("a.csv", "\xef\xbb\xbfx,y\n").string()).text, "x,y\n");
}

TEST(SourceFiles, NulBytesAndUtf16AreErrors) {
  const TemporaryDirectory folder;
  const std::string path = folder.write("a.csv", std::string_view("x\ny\0z", 5)).string();
  EXPECT_EQ(data_error([&] { read_source(path); }),
            path + ":2:2: NUL byte (this is no text; give LIBSVM, CSV or TSV)");
  const std::string wide = folder.write("b.csv", std::string_view("\xff\xfex\0", 4)).string();
  EXPECT_EQ(data_error([&] { read_source(wide); }),
            wide + ": the text is UTF-16 (save it as UTF-8)");
}

TEST(SourceFiles, GzipAndZstdAreUnpackedWhateverTheName) {
  const TemporaryDirectory folder;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919) + "\n";
  for (const std::string& packed : {gzipped(text), zstd_packed(text)}) {
    EXPECT_EQ(read_source(folder.write("a.txt", packed).string()).text, text);
  }
  EXPECT_EQ(read_source(folder.write("a.gz", gzipped("x")).string()).text, "x");
  EXPECT_EQ(read_source(folder.write("a.zst", zstd_packed("x")).string()).text, "x");
}

TEST(SourceFiles, MembersAndFramesInARowAreOneText) {
  const TemporaryDirectory folder;
  EXPECT_EQ(read_source(folder.write("a.gz", gzipped("one\n") + gzipped("two\n")).string()).text,
            "one\ntwo\n");
  EXPECT_EQ(
      read_source(folder.write("a.zst", zstd_packed("one\n") + zstd_packed("two\n")).string()).text,
      "one\ntwo\n");
  EXPECT_EQ(
      read_source(folder.write("b.gz", gzipped("one\n") + std::string(100, '\0')).string()).text,
      "one\n");
}

TEST(SourceFiles, CutOffDataIsAnErrorAtEveryLength) {
  const std::string text = "some text, some more text, even more text\n";
  for (const std::string& packed : {gzipped(text), zstd_packed(text)}) {
    for (std::size_t length = 4; length < packed.size(); ++length) {
      const std::string cut = packed.substr(0, length);
      const std::string message = data_error([&] { decompress(cut, compression_of(cut), "a"); });
      EXPECT_THAT(message, HasSubstr("data is cut off (copy or download the file again)"))
          << length;
    }
  }
}

TEST(SourceFiles, DamagedDataIsAnError) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(i) + ",";
  std::string gzip = gzipped(text);
  gzip[gzip.size() - 6] = static_cast<char>(gzip[gzip.size() - 6] ^ 1);  // its checksum
  EXPECT_THAT(data_error([&] { decompress(gzip, Compression::kGzip, "a.gz"); }),
              HasSubstr("a.gz: the gzip data is corrupt: incorrect data check"));
  const std::string followed = gzipped(text) + "rest";
  EXPECT_THAT(data_error([&] { decompress(followed, Compression::kGzip, "a.gz"); }),
              HasSubstr("something else follows its end"));
  const std::string zstd = zstd_packed(text) + "rest";
  EXPECT_THAT(data_error([&] { decompress(zstd, Compression::kZstd, "a.zst"); }),
              HasSubstr("a.zst: the zstd data is corrupt"));
}

TEST(SourceFiles, ANameThatPromisesCompressionMustKeepIt) {
  const TemporaryDirectory folder;
  const std::string path = folder.write("a.csv.gz", "x,y\n").string();
  EXPECT_EQ(data_error([&] { read_source(path); }),
            path + ": this is not gzip data (rename the file if it is plain text)");
}

}  // namespace
}  // namespace ossau::test
