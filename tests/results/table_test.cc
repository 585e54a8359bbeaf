#include "results/table.h"

#include <cmath>
#include <stdexcept>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "results/text.h"

namespace ranksweep::results {
namespace {

Table example() {
  return {{{"trial", "trial"},
           {"val_loss", "val loss", Show::loss},
           {"val_accuracy", "val acc", Show::percent},
           {"seconds", "time", Show::duration},
           {"network_parameters", "parameters", Show::count}},
          {{"simple_cnn", 0.2827, 0.88, 255.0, std::int64_t{1212513}},
           {"resnet50", 1.0903e-07, 1.0, 7384.0, {}}}};
}

TEST(TableTest, AlignsTextForATerminal) {
  EXPECT_EQ(render(example(), TableFormat::text),
            "trial        val loss   val acc        time  parameters\n"
            "simple_cnn     0.2827   88.00 %  4 min 15 s   1 212 513\n"
            "resnet50    1.090e-07  100.00 %  2 h 03 min\n");
}

TEST(TableTest, WritesMarkdown) {
  EXPECT_EQ(render(example(), TableFormat::markdown),
            "| trial | val loss | val acc | time | parameters |\n"
            "| --- | ---: | ---: | ---: | ---: |\n"
            "| simple_cnn | 0.2827 | 88.00 % | 4 min 15 s | 1 212 513 |\n"
            "| resnet50 | 1.090e-07 | 100.00 % | 2 h 03 min |  |\n");
}

TEST(TableTest, WritesLatex) {
  EXPECT_EQ(render(example(), TableFormat::latex),
            "\\begin{tabular}{lrrrr}\n"
            "  \\toprule\n"
            "  trial & val loss & val acc & time & parameters \\\\\n"
            "  \\midrule\n"
            "  simple\\_cnn & 0.2827 & 88.00 \\% & 4 min 15 s & 1 212 513 \\\\\n"
            "  resnet50 & 1.090e-07 & 100.00 \\% & 2 h 03 min &  \\\\\n"
            "  \\bottomrule\n"
            "\\end{tabular}\n");
}

TEST(TableTest, WritesCsvWithFullNumbers) {
  EXPECT_EQ(render(example(), TableFormat::csv),
            "trial,val_loss,val_accuracy,seconds,network_parameters\r\n"
            "simple_cnn,0.2827,0.88,255,1212513\r\n"
            "resnet50,1.0903e-07,1,7384,\r\n");
}

TEST(TableTest, WritesJsonWithFullNumbers) {
  const auto rows = nlohmann::json::parse(render(example(), TableFormat::json));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["trial"], "simple_cnn");
  EXPECT_EQ(rows[1]["val_loss"], 1.0903e-07);
  EXPECT_TRUE(rows[1]["network_parameters"].is_null());
}

TEST(TableTest, QuotesCsvFieldsAsRfc4180Says) {
  const Table table{{{"a,b", "a"}, {"c", "c"}}, {{"say \"no\"", "two\nlines"}}};
  EXPECT_EQ(render(table, TableFormat::csv), "\"a,b\",c\r\n\"say \"\"no\"\"\",\"two\nlines\"\r\n");
}

TEST(TableTest, TextCannotBreakOutOfItsCell) {
  const Table table{{{"x", "x"}, {"y", "y"}}, {{"a|b\n<b>*c*\x1b[31m", std::int64_t{1}}}};
  EXPECT_EQ(render(table, TableFormat::markdown),
            "| x | y |\n| --- | ---: |\n| a\\|b &lt;b&gt;\\*c\\* \\[31m | 1 |\n");
  EXPECT_EQ(render(table, TableFormat::text), "x                y\na|b <b>*c* [31m  1\n");
}

TEST(TableTest, AlignsWideAndCombiningCharacters) {
  const Table table{{{"n", "n"}, {"v", "v"}},
                    {{"顔", "1"}, {"e\xcc\x81t", "2"}, {"🙂🙂", "3"}, {"abcd", "4"}}};
  EXPECT_EQ(render(table, TableFormat::text),
            "n     v\n顔    1\ne\xcc\x81t    2\n🙂🙂  3\nabcd  4\n");
}

TEST(TableTest, CutsLongCellsInTextAlone) {
  const std::string name(10'000, 'x');
  const Table table{{{"name", "name"}}, {{name}}};
  EXPECT_EQ(render(table, TableFormat::text), "name\n" + std::string(59, 'x') + "…\n");
  EXPECT_EQ(nlohmann::json::parse(render(table, TableFormat::json))[0]["name"], name);
}

TEST(TableTest, ReplacesWhatIsNoUtf8) {
  const Table table{{{"x", "x"}}, {{"a\xff\xc0\x80z"}}};
  const std::string expected = "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz";
  EXPECT_EQ(nlohmann::json::parse(render(table, TableFormat::json))[0]["x"], expected);
  EXPECT_EQ(render(table, TableFormat::text), "x\n" + expected + "\n");
}

TEST(TableTest, ShowsNumbersAsPeopleReadThem) {
  EXPECT_EQ(show_cell(0.0, Show::loss), "0.0000");
  EXPECT_EQ(show_cell(7.4143, Show::loss), "7.4143");
  EXPECT_EQ(show_cell(0.99857, Show::percent), "99.86 %");
  EXPECT_EQ(show_cell(12.34, Show::duration), "12.3 s");
  EXPECT_EQ(show_cell(59.96, Show::duration), "60.0 s");
  EXPECT_EQ(show_cell(3599.7, Show::duration), "1 h 00 min");
  EXPECT_EQ(show_cell(std::int64_t{999}, Show::count), "999");
  EXPECT_EQ(show_cell(std::int64_t{-1234567}, Show::count), "-1 234 567");
  EXPECT_EQ(show_cell(0.001, Show::plain), "0.001");
  EXPECT_EQ(show_cell(0.1 + 0.2, Show::plain), "0.30000000000000004");
  EXPECT_EQ(show_cell(std::nan(""), Show::loss), "nan");
  EXPECT_EQ(show_cell("0123456789abcdef", Show::identity), "01234567");
}

TEST(TableTest, NamesItsFormats) {
  EXPECT_EQ(table_format_from("table"), TableFormat::text);
  EXPECT_EQ(table_format_from("markdown"), TableFormat::markdown);
  EXPECT_THROW(table_format_from("xml"), std::invalid_argument);
}

TEST(TextTest, EscapesForHtmlAndForScripts) {
  EXPECT_EQ(escape_html("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
  EXPECT_EQ(escape_json_in_html("\"</script><!--\""), "\"\\u003c/script>\\u003c!--\"");
}

TEST(TextTest, EscapesForLatex) {
  EXPECT_EQ(escape_latex("\\input{#$%&_~^<>}"),
            "\\textbackslash{}input\\{\\#\\$\\%\\&\\_\\textasciitilde{}\\textasciicircum{}"
            "\\textless{}\\textgreater{}\\}");
}

TEST(TextTest, KeepsUnderscoresInsideWordsInMarkdown) {
  EXPECT_EQ(escape_markdown("simple_cnn _x_"), "simple_cnn \\_x\\_");
}

TEST(TextTest, RemovesMarksThatTurnTheDirectionOfWriting) {
  EXPECT_EQ(one_line("a\xe2\x80\xae"
                     "b\xc2\x9b"
                     "c"),
            "a b c");
}

}  // namespace
}  // namespace ranksweep::results
