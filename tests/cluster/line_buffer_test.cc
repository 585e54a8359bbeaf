#include "cluster/line_buffer.h"

#include <gtest/gtest.h>

#include "cluster/trainer_protocol.h"

namespace ranksweep::cluster {
namespace {

TEST(LineBuffer, LinesComeOutWholeHoweverTheBytesArrive) {
  LineBuffer buffer(100);
  buffer.append("on");
  EXPECT_EQ(buffer.next(), std::nullopt);
  buffer.append("e\ntwo\n\nfo");
  EXPECT_EQ(buffer.next(), "one");
  EXPECT_EQ(buffer.next(), "two");
  EXPECT_EQ(buffer.next(), "");
  EXPECT_EQ(buffer.next(), std::nullopt);
  buffer.append("ur\n");
  EXPECT_EQ(buffer.next(), "four");
}

TEST(LineBuffer, ManyShortLinesMayExceedTheLimitTogether) {
  LineBuffer buffer(4);
  buffer.append("abc\nabc\nabc\nabc\n");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(buffer.next(), "abc");
  }
}

TEST(LineBuffer, ALineThatOutgrowsTheLimitIsRefused) {
  LineBuffer buffer(4);
  buffer.append("1234");
  EXPECT_THROW(buffer.append("5"), ProtocolError);
}

TEST(TailBuffer, KeepsWhatCameLastAsWholeLines) {
  TailBuffer buffer(12);
  EXPECT_EQ(buffer.tail(), "");
  buffer.append("first line\n");
  EXPECT_EQ(buffer.tail(), "first line\n");
  buffer.append("second\nlast\n");
  EXPECT_EQ(buffer.tail(), "last\n");
}

TEST(TailBuffer, CutsALineThatIsLongerThanTheLimit) {
  TailBuffer buffer(4);
  for (int i = 0; i < 1000; ++i) {
    buffer.append("xyz");
  }
  EXPECT_EQ(buffer.tail().size(), 4u);
}

}  // namespace
}  // namespace ranksweep::cluster
