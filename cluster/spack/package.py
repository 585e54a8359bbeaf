"""A recipe for Spack, to be put into a repository of your own:

    spack repo create ~/spack-ranksweep ranksweep
    mkdir -p ~/spack-ranksweep/packages/ranksweep
    cp cluster/spack/package.py chart.min.js ~/spack-ranksweep/packages/ranksweep
    spack repo add ~/spack-ranksweep
    spack dev-build ranksweep@main      # from the folder of the sources

chart.min.js is that of Chart.js 3.9 (Debian's libjs-chart.js, or dist/ of the npm package chart.js), which the
report embeds and Spack does not have.
"""

from spack.package import *


class Ranksweep(CMakePackage, CudaPackage):
    """Trains a grid of image classifiers on the ranks of an MPI job and ranks them by minimum validation loss."""

    license("Apache-2.0")

    version("main")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    # LibTorch is that of the Python package; CMake asks Python where it is, and nothing runs Python later.
    depends_on("python", type="build")
    depends_on("py-torch@2.11:", type=("build", "link", "run"))
    depends_on("py-torch+cuda+nccl", when="+cuda")
    depends_on("py-torch~cuda", when="~cuda")
    depends_on("yaml-cpp")
    depends_on("fmt@9:")
    depends_on("nlohmann-json")
    depends_on("cli11")
    depends_on("sqlite@3.37:")
    depends_on("sqlitecpp")
    depends_on("xxhash")
    depends_on("libjpeg-turbo")
    depends_on("libpng")
    depends_on("cairo")
    depends_on("cpp-httplib")
    depends_on("protozero")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("BUILD_TESTING", False),
            self.define_from_variant("RANKSWEEP_CUDA", "cuda"),
            self.define("RANKSWEEP_INSTALL_LIBTORCH", False),
            self.define("RANKSWEEP_CHARTJS", join_path(self.package_dir, "chart.min.js")),
        ]
