// A corpus of inputs that people do have, each with the message that it must give.
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/data_set.h"
#include "worker/data/file_bytes.h"
#include "worker/data/image.h"
#include "worker/data/manifest.h"

namespace ranksweep::worker {
namespace {

// Shows a case by its name alone.
struct BadImage {
  const char* name;
  Bytes bytes;
  std::string message;
};
void PrintTo(const BadImage& image, std::ostream* out) { *out << image.name; }

Bytes text(const std::string& content) { return {content.begin(), content.end()}; }

Bytes first(const Bytes& bytes, std::size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

Bytes with_byte(Bytes bytes, std::size_t at, int value) {
  bytes.at(at) = static_cast<std::uint8_t>(value);
  return bytes;
}

// Where the frame header of a JPEG begins: its height is at +5, its width at +7.
std::size_t frame_of(const Bytes& jpeg) {
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xFF && (jpeg[i + 1] == 0xC0 || jpeg[i + 1] == 0xC2)) return i;
  }
  throw std::logic_error("no frame header");
}

Bytes jpeg_of_size(int height, int width) {
  Bytes jpeg = jpeg_bytes(gradient(16, 16));
  const std::size_t frame = frame_of(jpeg);
  jpeg[frame + 5] = static_cast<std::uint8_t>(height >> 8);
  jpeg[frame + 6] = static_cast<std::uint8_t>(height);
  jpeg[frame + 7] = static_cast<std::uint8_t>(width >> 8);
  jpeg[frame + 8] = static_cast<std::uint8_t>(width);
  return jpeg;
}

std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

// A PNG whose header says another size, with a right checksum.
Bytes png_of_size(std::uint32_t height, std::uint32_t width) {
  Bytes png = png_bytes(gradient(4, 4));
  const auto put = [&png](std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) png[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  };
  put(16, width);
  put(20, height);
  put(29, crc32(std::span(png).subspan(12, 17)));
  return png;
}

std::string too_large(const char* size) {
  return fmt::format(
      "is {} pixels; at most 32768 a side and 134217728 in all are read: scale it down", size);
}

std::vector<BadImage> bad_images() {
  const Bytes jpeg = jpeg_bytes(gradient(32, 32)), png = png_bytes(gradient(32, 32));
  const Bytes progressive = jpeg_bytes(gradient(32, 32), JpegColors::rgb, 0, true);
  const std::string truncated = "is truncated: the file ends before the image does";
  const std::string unknown = "is neither a JPEG nor a PNG image";
  return {
      {"empty", {}, "is empty"},
      {"one_byte", {0xFF}, unknown},
      {"zeros", Bytes(1000), unknown},
      {"plain_text", text("this is no image"), unknown},
      {"gif", text("GIF89a....."), "is a GIF image; convert it to JPEG or PNG"},
      {"webp", text("RIFF\x10\x10\x10\x10WEBPVP8 "), "is a WebP image; convert it to JPEG or PNG"},
      {"bmp", text("BM......"), "is a BMP image; convert it to JPEG or PNG"},
      {"tiff_little", text(std::string("II*\0....", 8)),
       "is a TIFF image; convert it to JPEG or PNG"},
      {"tiff_big", text(std::string("MM\0*....", 8)), "is a TIFF image; convert it to JPEG or PNG"},
      {"heic", text("....ftypheic...."), "is a HEIC image; convert it to JPEG or PNG"},
      {"heif", text("....ftypmif1...."), "is a HEIF image; convert it to JPEG or PNG"},
      {"avif", text("....ftypavif...."), "is an AVIF image; convert it to JPEG or PNG"},
      {"jpeg_xl", text("\xFF\x0A..."), "is a JPEG XL image; convert it to JPEG or PNG"},
      {"pdf", text("%PDF-1.7"), "is a PDF document; convert it to JPEG or PNG"},
      {"svg", text("<svg xmlns='...'>"), "is an SVG drawing; convert it to JPEG or PNG"},
      {"web_page", text("<!DOCTYPE html>"), "is a web page; convert it to JPEG or PNG"},
      {"login_page", text("<html><body>Please log in"), "is a web page; convert it to JPEG or PNG"},
      {"zip", text("PK\x03\x04...."), "is a ZIP archive; convert it to JPEG or PNG"},
      {"jpeg_start_alone", first(jpeg, 3), truncated},
      {"jpeg_cut_in_tables", first(jpeg, 100), truncated},
      {"jpeg_cut_in_half", first(jpeg, jpeg.size() / 2), truncated},
      {"jpeg_without_its_end", first(jpeg, jpeg.size() - 20), truncated},
      {"progressive_jpeg_cut", first(progressive, progressive.size() * 3 / 4), truncated},
      {"jpeg_without_an_image", Bytes{0xFF, 0xD8, 0xFF, 0xD9},
       "is a damaged or unusual JPEG: JPEG datastream contains no image"},
      {"jpeg_of_12_bits", with_byte(jpeg, frame_of(jpeg) + 4, 12),
       "is a damaged or unusual JPEG: Unsupported JPEG data precision 12"},
      {"jpeg_of_no_height", jpeg_of_size(0, 16),
       "is a damaged or unusual JPEG: Empty JPEG image (DNL not supported)"},
      {"jpeg_of_60000_x_60000", jpeg_of_size(60000, 60000), too_large("60000 x 60000")},
      {"jpeg_wide", jpeg_of_size(10, 40000), too_large("10 x 40000")},
      {"jpeg_of_too_many_pixels", jpeg_of_size(20000, 20000), too_large("20000 x 20000")},
      {"jpeg_that_is_taller_than_its_data", jpeg_of_size(4000, 16),
       "is a damaged or unusual JPEG: Corrupt JPEG data: premature end of data segment"},
      {"png_signature_alone", first(png, 8), truncated},
      {"png_cut_in_its_header", first(png, 20), truncated},
      {"png_cut_in_half", first(png, png.size() / 2), truncated},
      {"png_without_its_end", first(png, png.size() - 30), truncated},
      {"png_with_a_wrong_header_checksum", with_byte(png, 29, png[29] ^ 1),
       "is a damaged PNG: IHDR: CRC error"},
      {"png_with_wrong_data", with_byte(png, 50, png[50] ^ 0xFF),
       "is a damaged PNG: IDAT: invalid distance too far back"},
      {"png_of_60000_x_60000", png_of_size(60000, 60000), too_large("60000 x 60000")},
      {"png_of_no_width", png_of_size(4, 0), "is a damaged PNG: Invalid IHDR data"},
      {"png_bomb", png_of_size(30000, 30000), too_large("30000 x 30000")},
      {"png_that_is_taller_than_its_data", png_of_size(400, 4), truncated},
  };
}

class BadImages : public ::testing::TestWithParam<BadImage> {};

TEST_P(BadImages, AreRefusedWithTheirReason) {
  try {
    decode_image(GetParam().bytes, 16, 16);
    FAIL() << "no error";
  } catch (const ImageError& error) {
    EXPECT_EQ(error.what(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, BadImages, ::testing::ValuesIn(bad_images()),
                         [](const auto& each) { return std::string(each.param.name); });

std::string error_of_file(const std::filesystem::path& path) {
  try {
    decode_image_file(path, 8, 8);
  } catch (const ImageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(BadFiles, AreRefusedWithTheirReason) {
  const TemporaryFolder folder;
  const std::string missing = (folder.path() / "gone.jpg").string();
  EXPECT_EQ(error_of_file(missing), missing + " cannot be read: No such file or directory");
  EXPECT_EQ(error_of_file(folder.path()),
            folder.path().string() + " is no file but a folder, pipe or device");
  const std::string pipe = (folder.path() / "pipe.jpg").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error_of_file(pipe), pipe + " is no file but a folder, pipe or device");
  const std::string huge = folder.write("huge.jpg", std::string("x")).string();
  std::filesystem::resize_file(huge, (std::uintmax_t{1} << 30) + 1);
  EXPECT_EQ(error_of_file(huge),
            huge + " is 1073741825 bytes; an image file of at most 1073741824 is read");
  const std::string link = (folder.path() / "link.jpg").string();
  std::filesystem::create_symlink("nowhere", link);
  EXPECT_EQ(error_of_file(link), link + " cannot be read: No such file or directory");
}

TEST(BadFiles, AFileWithoutPermissionIsRefused) {
  constexpr uid_t kNobody = 65534;
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::others_all,
                               std::filesystem::perm_options::add);
  const std::string path = folder.write("secret.jpg", jpeg_bytes(gradient(8, 8))).string();
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const bool is_root = geteuid() == 0;  // who may read every file
  ASSERT_TRUE(!is_root || seteuid(kNobody) == 0);
  const std::string error = error_of_file(path);
  ASSERT_TRUE(!is_root || seteuid(0) == 0);
  EXPECT_EQ(error, path + " cannot be read: Permission denied");
}

struct BadManifest {
  const char* name;
  std::string text;
  std::string message;
};
void PrintTo(const BadManifest& manifest, std::ostream* out) { *out << manifest.name; }

class BadManifests : public ::testing::TestWithParam<BadManifest> {};

TEST_P(BadManifests, AreRefusedWithLineAndReason) {
  std::istringstream input(GetParam().text);
  try {
    read_manifest(input, "m.csv");
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(error.what(), GetParam().message);
  }
}

const std::vector<BadManifest> kBadManifests = {
    {"empty", "", "m.csv: is empty; its first line must name the columns: path,label"},
    {"blank", "\n\n", "m.csv: is empty; its first line must name the columns: path,label"},
    {"no_label", "path,class\na.jpg,x\n",
     "m.csv:1: there is no column 'label'; found: path, class; the first line names the columns "
     "path, "
     "label and, if wanted, group and split"},
    {"no_header", "a.jpg,smile\n",
     "m.csv:1: there is no column 'path'; found: a.jpg, smile; the first line names the columns "
     "path, "
     "label and, if wanted, group and split"},
    {"semicolons", "path;label\n",
     "m.csv:1: there is no column 'path'; found: path;label; the first line names the columns "
     "path, "
     "label and, if wanted, group and split"},
    {"a_column_twice", "path,label,path\n", "m.csv:1: column 'path' is there twice"},
    {"group_and_person", "path,label,group,person\n",
     "m.csv:1: column 'group' is there twice (person means group)"},
    {"too_few_fields", "path,label\na.jpg\n",
     "m.csv:2: 1 fields where the first line names 2; put a field with a comma in double quotes"},
    {"too_many_fields", "path,label\na,b.jpg,smile\n",
     "m.csv:2: 3 fields where the first line names 2; put a field with a comma in double quotes"},
    {"no_path", "path,label\n,smile\n", "m.csv:2: the path is empty"},
    {"zero_byte", std::string("path,label\na\0b,smile\n", 21),
     "m.csv:2: the path holds a zero byte"},
    {"empty_label", "path,label\na.jpg,\n", "m.csv:2: the label is empty"},
    {"unknown_split", "path,label,split\na.jpg,x,valid\n",
     "m.csv:2: split 'valid' is unknown; use train, val or test"},
    {"empty_split", "path,label,split\na.jpg,x,\n",
     "m.csv:2: split '' is unknown; use train, val or test"},
    {"a_path_twice", "path,label\na.jpg,x\n\na.jpg,y\n", "m.csv:4: 'a.jpg' is on line 2 already"},
    {"an_open_quote", "path,label\na.jpg,\"x\nb.jpg,y\n",
     "m.csv:2: a quote is opened and never closed; the manifest must be CSV as in RFC 4180"},
    {"text_after_a_quote", "path,label\n\"a\"b.jpg,x\n",
     "m.csv:2: text after a closing quote; the manifest must be CSV as in RFC 4180"},
    {"several_mistakes", "path,label\na.jpg,\n,x\n",
     "m.csv:2: the label is empty\nm.csv:3: the path is empty"},
};

INSTANTIATE_TEST_SUITE_P(Corpus, BadManifests, ::testing::ValuesIn(kBadManifests),
                         [](const auto& each) { return std::string(each.param.name); });

// A folder as a list of files, and what list_data_set must say; FOLDER stands for its path.
struct BadFolder {
  const char* name;
  std::vector<const char*> files;
  std::optional<double> validation_fraction;
  std::string message;
};
void PrintTo(const BadFolder& folder, std::ostream* out) { *out << folder.name; }

class BadFolders : public ::testing::TestWithParam<BadFolder> {};

TEST_P(BadFolders, AreRefusedWithPlaceReasonAndRemedy) {
  const TemporaryFolder folder;
  for (const std::string name : GetParam().files) {
    if (name.ends_with('/')) {
      std::filesystem::create_directories(folder.path() / name);
    } else {
      folder.write(name, std::string("x"));
    }
  }
  sweeps::DataSpec spec;
  spec.path = folder.path();
  spec.validation_fraction = GetParam().validation_fraction;
  std::string message = "no error";
  try {
    list_data_set(spec);
  } catch (const DataError& error) {
    message = error.what();
  }
  for (std::size_t at; (at = message.find(folder.path().string())) != std::string::npos;) {
    message.replace(at, folder.path().string().size(), "FOLDER");
  }
  EXPECT_EQ(message, GetParam().message);
}

const std::vector<BadFolder> kBadFolders = {
    {"empty",
     {},
     {},
     "FOLDER: has no train/ and val/ folders; add them, or set validation_fraction to split a "
     "folder "
     "of classes"},
    {"no_val", {"train/a/1"}, {}, "FOLDER: has train/ but no val/; add it"},
    {"no_train", {"val/a/1"}, {}, "FOLDER: has val/ but no train/; add it"},
    {"both_split_and_fraction",
     {"train/a/1", "val/a/1"},
     0.2,
     "FOLDER: has train/ and val/ already; remove validation_fraction, or point path at a folder "
     "of "
     "classes"},
    {"no_classes",
     {"train/", "val/"},
     {},
     "FOLDER: no images to train on\nFOLDER: no images to validate on"},
    {"an_empty_class",
     {"train/a/", "val/a/1"},
     {},
     "FOLDER/train/a: is empty; fill this folder of a class, or remove it"},
    {"one_class",
     {"train/a/1", "val/a/2"},
     {},
     "FOLDER: there is one class, 'a'; a classifier needs two or more"},
    {"a_class_in_train_alone",
     {"train/a/1", "train/b/2", "val/a/3"},
     {},
     "FOLDER: class 'b' has no images in val; each class must be in train and val, under the same "
     "name"},
    {"a_class_in_test_alone",
     {"train/a/1", "train/b/2", "val/a/3", "val/b/4", "test/c/5"},
     {},
     "FOLDER: class 'c' has no images in train and val; each class must be in train and val, under "
     "the "
     "same name"},
    {"a_misspelt_class",
     {"train/smile/1", "train/calm/2", "val/smlie/3", "val/calm/4"},
     {},
     "FOLDER: class 'smile' has no images in val; each class must be in train and val, under the "
     "same "
     "name\nFOLDER: class 'smlie' has no images in train; each class must be in train and val, "
     "under "
     "the same name"},
    {"folders_too_deep",
     {"train/a/group/deep/1", "val/a/2"},
     {},
     "FOLDER/train/a/group/deep: folders lie too deep; an image is at CLASS/FILE or "
     "CLASS/GROUP/FILE"},
    {"too_few_to_split",
     {"a/1", "b/1", "b/2"},
     0.5,
     "class 'a' cannot be split with validation_fraction 0.5: it has too few images, or too few "
     "groups; "
     "add images, or change validation_fraction"},
    {"a_fraction_out_of_range",
     {"a/1", "b/2"},
     1.5,
     "validation_fraction is 1.5; it must lie between 0 and 1"},
};

INSTANTIATE_TEST_SUITE_P(Corpus, BadFolders, ::testing::ValuesIn(kBadFolders),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(BadFolders, AFolderThatIsNotThereIsRefused) {
  sweeps::DataSpec spec;
  spec.path = "/nowhere/faces";
  try {
    list_data_set(spec);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_STREQ(
        error.what(),
        "/nowhere/faces: No such file or directory; give the folder of the images, or a CSV "
        "manifest");
  }
}

}  // namespace
}  // namespace ranksweep::worker
