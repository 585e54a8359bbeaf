#include "sweeps/document.h"

#include <cmath>

#include <gmock/gmock.h>

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Node read(const std::string& source) {
  std::vector<Diagnostic> found;
  Node root = read_document(source, "test.yaml", found);
  EXPECT_TRUE(found.empty()) << found.front().message;
  return root;
}

json read_json(const std::string& source) { return node_to_json(read(source)); }

std::string first_mistake(const std::string& source) {
  std::vector<Diagnostic> found;
  read_document(source, "test.yaml", found);
  return found.empty() ? "" : to_string(found.front(), "test.yaml");
}

TEST(Document, ReadsScalarsAsTheCoreSchemaHasThem) {
  EXPECT_EQ(read_json("[1, -7, +3, 0, 007]"), json({1, -7, 3, 0, 7}));
  EXPECT_EQ(read_json("[1e-3, 0.5, .5, 5., -1E+2, 1e3]"), json({1e-3, 0.5, 0.5, 5.0, -100.0, 1e3}));
  EXPECT_EQ(read_json("[true, False, TRUE]"), json({true, false, true}));
  EXPECT_EQ(read_json("[~, null, '']"), json({nullptr, nullptr, ""}));
  EXPECT_EQ(read_json("[yes, no, on, off, y, n]"), json({"yes", "no", "on", "off", "y", "n"}));
  EXPECT_EQ(read_json(R"(["1", '2', 1.2.3, 1e, -, +.5e, 0x10, 1_000])"),
            json({"1", "2", "1.2.3", "1e", "-", "+.5e", "0x10", "1_000"}));
  EXPECT_EQ(read_json("!!str 5"), "5");
}

TEST(Document, ReadsNumbersThatNoDoubleHolds) {
  EXPECT_TRUE(std::isinf(read("1e999").scalar.get<double>()));
  EXPECT_TRUE(std::isinf(read("-.inf").scalar.get<double>()));
  EXPECT_TRUE(std::isnan(read(".nan").scalar.get<double>()));
  EXPECT_EQ(read("1e-999").scalar.get<double>(), 0);
  EXPECT_TRUE(read("99999999999999999999").scalar.is_number_float());
  EXPECT_EQ(read("9223372036854775807").scalar.get<std::int64_t>(), 9223372036854775807);
}

TEST(Document, KnowsThePlaceOfEveryValue) {
  const Node root = read("a: 1\nb:\n  - x\n  - {c: 2}\n");
  EXPECT_EQ(root.find("a")->value.line, 1);
  EXPECT_EQ(root.find("a")->value.column, 4);
  const Node& inner = root.find("b")->value.items.at(1);
  EXPECT_EQ(inner.line, 4);
  EXPECT_EQ(inner.column, 5);
  EXPECT_EQ(inner.find("c")->value.column, 9);
}

TEST(Document, ResolvesAliasesAndMergeKeys) {
  EXPECT_EQ(read_json("[&a {x: 1, y: 2}, {<<: *a, y: 3}, {<<: [{z: 9, x: 5}, *a]}, *a]"),
            json::parse(R"([{"x":1,"y":2}, {"x":1,"y":3}, {"x":5,"y":2,"z":9}, {"x":1,"y":2}])"));
}

TEST(Document, TellsOfDuplicateKeys) {
  EXPECT_EQ(first_mistake("a: 1\nb: 2\n\"a\": 3\n"),
            "test.yaml:3:1: `a` is given twice; first in line 1");
  EXPECT_EQ(first_mistake("x: {a: 1}\ny: {a: 2}\n"), "");
}

TEST(Document, TakesAByteOrderMarkAndWindowsLines) {
  EXPECT_EQ(read_json("\xEF\xBB\xBF"
                      "a: 1\r\nb: x\r\n"),
            json({{"a", 1}, {"b", "x"}}));
}

TEST(Document, RefusesAliasesThatMultiply) {
  std::string source = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    source += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) source += last + ", ";
    source += "]\n";
  }
  EXPECT_THAT([&] { read(source); },
              ThrowsMessage<SweepError>(HasSubstr("more than 1000000 values")));
}

TEST(Document, RefusesAnAliasOfItself) { EXPECT_THROW(read("a: &a [*a]"), SweepError); }

TEST(Document, RefusesAHugeFile) {
  EXPECT_THAT([] { read("a: " + std::string(17'000'000, 'x')); },
              ThrowsMessage<SweepError>(HasSubstr("at most 16777216 are read")));
}

TEST(Document, RefusesDeepNestingOfEveryKind) {
  for (const std::string opening : {"[", "{a: ", "- ", "? "}) {
    std::string source;
    for (int i = 0; i < 20000; ++i) source += opening;
    EXPECT_THROW(read(source), SweepError) << opening;
  }
}

TEST(Document, ShowsValuesShortened) {
  EXPECT_EQ(show(read("[1, 2]")), "`[1, 2]`");
  EXPECT_EQ(show(read("[1, 2, 3, 4, 5]")), "a list of 5");
  EXPECT_EQ(show(read("'0.1'")), "the text \"0.1\"");
  EXPECT_EQ(show(read("null")), "nothing");
  const std::string shown = show(read(std::string(59, 'x') + "\u00e9\u00e9\u00e9"));
  EXPECT_EQ(shown, "`" + std::string(59, 'x') + "...`");  // no half of a character
}

}  // namespace
}  // namespace ranksweep::sweeps
