#pragma once

#include <string>
#include <string_view>

namespace ossau {

enum class Compression { kNone, kGzip, kZstd };

/// What `bytes` is compressed with, by its first bytes.
Compression compression_of(std::string_view bytes);

/// The text inside gzip or zstd data; members or frames in a row are read as one text.
/// name: the file's, for messages.  Throws DataError where the data is corrupt or cut off.
std::string decompress(std::string_view bytes, Compression compression, std::string_view name);

}  // namespace ossau
