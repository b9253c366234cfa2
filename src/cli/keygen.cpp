#include "syncrelay/cli/keygen.h"

#include <fcntl.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "syncrelay/base/descriptor.h"
#include "syncrelay/config/curve_keys.h"

namespace syncrelay {
namespace {

constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;

using KeyText = std::array<char, 41>;  // Z85, with a zero

// A file that was not there before; removed again unless it is kept.
class NewFile {
 public:
  NewFile(const std::string& path, mode_t mode)
      : path_(path), fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) {
    error_ = fd_ ? 0 : errno;
  }
  ~NewFile() {
    if (fd_ && !kept_) unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(config::CurveKind kind, const KeyText& key) {
    const std::string text =
        std::string(config::curve_mark(kind)) + '\n' + std::string(key.data()) + '\n';
    if (error_ != 0) return;
    errno = EIO;  // where less was written than asked for
    const bool written =
        ::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (!written || fsync(fd_.get()) != 0) error_ = errno;
  }

  bool ok() const { return error_ == 0; }
  std::string why() const {
    return path_ + ": " +
           (error_ == EEXIST ? "is there already, and is not overwritten" : std::strerror(error_));
  }
  void keep() { kept_ = true; }

 private:
  const std::string path_;
  const Descriptor fd_;
  int error_ = 0;
  bool kept_ = false;
};

}  // namespace

Result<KeyPair, std::string> make_key_pair(const std::string& file) {
  KeyText public_key{};
  KeyText secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0)
    return std::string("this ZeroMQ has no CURVE");
  NewFile secret(file, kSecret);
  if (!secret.ok()) return secret.why();
  NewFile shown(file + ".pub", kPublic);
  secret.write(config::CurveKind::secret_key, secret_key);
  shown.write(config::CurveKind::public_key, public_key);
  for (const NewFile* made : {&secret, &shown}) {
    if (!made->ok()) return made->why();
  }
  secret.keep();
  shown.keep();
  return KeyPair{public_key.data()};
}

}  // namespace syncrelay
