#include "data/text/decompress.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>

#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;

[[noreturn]] void fail_cut_off(std::string_view name, std::string_view kind) {
  throw DataError(
      fmt::format("{}: the {} data is cut off (copy or download the file again)", name, kind));
}

[[noreturn]] void fail_corrupt(std::string_view name, std::string_view kind,
                               std::string_view reason) {
  throw DataError(fmt::format("{}: the {} data is corrupt: {} (copy or download the file again)",
                              name, kind, reason));
}

struct EndInflate {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
using InflateStream = std::unique_ptr<z_stream, EndInflate>;

InflateStream begin_inflate() {
  InflateStream stream(new z_stream{});
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(stream.get(), kGzipOnly) != Z_OK) throw DataError("zlib: out of memory");
  return stream;
}

// zlib counts in 32 bits, so input and output are handed over in pieces.
class GzipReader {
 public:
  GzipReader(std::string_view bytes, std::string_view name)
      : rest_(bytes), name_(name), stream_(begin_inflate()) {}

  std::string read() {
    std::string out;
    do {
      read_member(out);
    } while (next_member());
    return out;
  }

 private:
  void read_member(std::string& out) {
    for (;;) {
      const auto piece = static_cast<uInt>(
          std::min<std::size_t>(rest_.size(), std::numeric_limits<uInt>::max() / 2));
      const std::size_t filled = out.size();
      if (out.capacity() - filled < kBlockBytes) out.reserve(2 * filled + kBlockBytes);
      out.resize(filled + kBlockBytes);
      // zlib's interface is not const, but it does not write to its input.
      stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
      stream_->avail_in = piece;
      stream_->next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_->avail_out = static_cast<uInt>(kBlockBytes);
      const int status = inflate(stream_.get(), Z_NO_FLUSH);
      rest_.remove_prefix(piece - stream_->avail_in);
      out.resize(filled + kBlockBytes - stream_->avail_out);
      if (status == Z_STREAM_END) return;
      if (status == Z_BUF_ERROR) fail_cut_off(name_, "gzip");
      if (status != Z_OK) {
        fail_corrupt(name_, "gzip", stream_->msg != nullptr ? stream_->msg : "zlib refuses it");
      }
    }
  }

  // As gzip does: zeros after a member are padding (tapes, block devices), anything else is not.
  bool next_member() {
    const std::size_t used = rest_.find_first_not_of('\0');
    if (used == std::string_view::npos) return false;
    if (compression_of(rest_) != Compression::kGzip) {
      fail_corrupt(name_, "gzip", "something else follows its end");
    }
    inflateReset(stream_.get());
    return true;
  }

  std::string_view rest_;
  std::string_view name_;
  InflateStream stream_;
};

struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

std::string read_zstd(std::string_view bytes, std::string_view name) {
  const std::unique_ptr<ZSTD_DStream, FreeZstd> stream(ZSTD_createDStream());
  if (stream == nullptr) throw DataError("zstd: out of memory");
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  std::size_t wanted = 1;  // 0 at the end of a frame
  for (;;) {
    const std::size_t filled = out.size();
    if (out.capacity() - filled < kBlockBytes) out.reserve(2 * filled + kBlockBytes);
    out.resize(filled + kBlockBytes);
    ZSTD_outBuffer block{out.data() + filled, kBlockBytes, 0};
    wanted = ZSTD_decompressStream(stream.get(), &block, &in);
    out.resize(filled + block.pos);
    if (ZSTD_isError(wanted) != 0) fail_corrupt(name, "zstd", ZSTD_getErrorName(wanted));
    // A full block may leave more inside the decoder even where all input is taken.
    if (in.pos == in.size && block.pos < block.size) break;
  }
  if (wanted != 0) fail_cut_off(name, "zstd");
  return out;
}

}  // namespace

Compression compression_of(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return Compression::kGzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return Compression::kZstd;
  return Compression::kNone;
}

std::string decompress(std::string_view bytes, Compression compression, std::string_view name) {
  switch (compression) {
    case Compression::kGzip:
      return GzipReader(bytes, name).read();
    case Compression::kZstd:
      return read_zstd(bytes, name);
    case Compression::kNone:
      break;
  }
  return std::string(bytes);
}

}  // namespace ossau
