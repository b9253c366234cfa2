#include "syncrelay/config/text_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace syncrelay {
namespace {

// A directory of its own that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "syncrelay-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const char* name) const { return path_ / name; }
  std::string write(const char* name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

TEST_CASE("A file is read as it is") {
  const TemporaryDirectory directory;
  const std::string text("a = 1\r\n\0\xff", 9);
  const auto result = read_text_file(directory.write("a.toml", text));
  REQUIRE(result.ok());
  CHECK(result.value() == text);
}

TEST_CASE("A file of 1 MiB is read, a larger one refused") {
  const TemporaryDirectory directory;
  const std::string text(1U << 20, '\n');
  CHECK(read_text_file(directory.write("fits", text)).ok());
  const auto large = read_text_file(directory.write("large", text + '\n'));
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().reason == "larger than 1 MiB");
}

TEST_CASE("A file that is not there, a directory and a FIFO are refused with the reason") {
  const TemporaryDirectory directory;
  const auto missing = read_text_file(directory.path("none"));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().reason == "No such file or directory");
  const auto folder = read_text_file(directory.path(""));
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().reason == "not a regular file");
  REQUIRE(mkfifo(directory.path("fifo").c_str(), 0600) == 0);
  CHECK_FALSE(read_text_file(directory.path("fifo")).ok());
}

}  // namespace
}  // namespace syncrelay
