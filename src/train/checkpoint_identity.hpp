#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/safetensors.hpp"
#include "data/table.hpp"
#include "ossau/config.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// Characters of CheckpointIdentity::key().
inline constexpr std::size_t kKeyDigits = 8;

/// Which training a checkpoint is of: two of the same identity take the same steps.
struct CheckpointIdentity {
  std::string exact;   // version of the arithmetic contract
  std::string config;  // model_config_json()
  std::string data;    // SHA-256 of the data as prepared

  /// Hexadecimal digits that tell identities apart, for names of files.
  std::string key() const;
};

/// The identity of a training; the same on every rank.
/// start: its first weights, which count where they are a model's.
CheckpointIdentity checkpoint_identity(const Config& config, const PreparedData& prepared,
                                       const Schema& schema, const std::vector<double>& start);

/// What a checkpoint says of its identity.
TensorMetadata identity_metadata(const CheckpointIdentity& identity);

/// Throws where `file` is no checkpoint of this training, and names the first difference:
/// ConfigError for another configuration, DataError for other data, another contract or another
/// kind of file.
void require_identity(const Safetensors& file, const CheckpointIdentity& identity);

}  // namespace ossau
