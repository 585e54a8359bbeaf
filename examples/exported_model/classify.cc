// Classifies JPEG images with a model that `ranksweep export -o FOLDER` wrote. Needs LibTorch and
// libjpeg-turbo, and nothing of ranksweep.
//
//   classify FOLDER/model.pt IMAGE.jpg...
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <jpeglib.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/script.h>

namespace {

[[noreturn]] void refuse(j_common_ptr codec) {
  char message[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, message);
  throw std::runtime_error(message);
}

// RGB pixels [1, height, width, 3] of uint8. A large image is decoded at a fraction of its size, as
// in training, but not below the model's; the model resizes the rest of the way. Orientation tags
// are not read.
torch::Tensor read_jpeg(const std::string& path, std::int64_t height, std::int64_t width) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw std::runtime_error("cannot be opened");
  jpeg_error_mgr errors = {};
  jpeg_decompress_struct codec = {};
  codec.err = jpeg_std_error(&errors);
  errors.error_exit = refuse;
  jpeg_create_decompress(&codec);
  const std::unique_ptr<jpeg_decompress_struct, void (*)(j_decompress_ptr)> owner(
      &codec, jpeg_destroy_decompress);
  jpeg_stdio_src(&codec, file.get());
  jpeg_read_header(&codec, TRUE);
  codec.out_color_space = JCS_RGB;
  codec.scale_num = 1;
  for (codec.scale_denom = 8; codec.scale_denom > 1; codec.scale_denom /= 2) {
    if (codec.image_height / codec.scale_denom >= height &&
        codec.image_width / codec.scale_denom >= width) {
      break;
    }
  }
  jpeg_start_decompress(&codec);
  torch::Tensor pixels =
      torch::empty({1, codec.output_height, codec.output_width, 3}, torch::kUInt8);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = pixels[0][codec.output_scanline].data_ptr<std::uint8_t>();
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_finish_decompress(&codec);
  return pixels;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: classify MODEL.pt IMAGE.jpg...\n";
    return 2;
  }
  const c10::InferenceMode inference;
  torch::jit::Module model = torch::jit::load(argv[1]);
  const auto classes = model.attr("classes").to<std::vector<std::string>>();
  const auto size = model.attr("image_size").toIntVector();
  int unread = 0;
  for (int i = 2; i < argc; ++i) {
    try {
      const torch::Tensor probabilities =
          model.forward({read_jpeg(argv[i], size[0], size[1])}).toTensor()[0];
      std::cout << argv[i];
      for (std::size_t c = 0; c < classes.size(); ++c) {
        std::cout << '\t' << classes[c] << '\t' << std::setprecision(9)
                  << probabilities[static_cast<std::int64_t>(c)].item<float>();
      }
      std::cout << '\n';
    } catch (const std::runtime_error& error) {
      std::cerr << argv[i] << " " << error.what() << '\n';
      ++unread;
    }
  }
  return unread == 0 ? 0 : 1;
}
