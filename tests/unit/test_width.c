/* SPDX-License-Identifier: MIT
 *
 * Columns: what a character takes, where a text is cut and wrapped, and how it
 * is painted over another.
 */
#include "arrow.h"
#include "canvas.h"
#include "place.h"
#include "width.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

static void test_of(void **state)
{
    static const struct {
        const char *text;
        int width;
    } good[] = {{"", 0},           {"abc", 3},
                {"报文段", 6},     {"SYN，", 5},
                {"e\xcc\x81t", 2}, /* a mark on its letter */
                {"\xe6\x8a", 2},   /* a character without its end */
                {"\xff", 1},       {"\xf0\xa0\x80\x80", 2}};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(width_of(good[i].text), good[i].width);
    assert_int_equal(width_of_bytes("报文段", 6), 4);
}

static void test_fit(void **state)
{
    static const struct {
        const char *text;
        int columns;
        size_t bytes;
    } good[] = {{"abc", 2, 2},    {"报文段", 6, 9}, {"报文段", 5, 6},
                {"报文段", 1, 0}, {"a报", 2, 1},    {"", 9, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(width_fit(good[i].text, good[i].columns),
                         good[i].bytes);
}

/* Cut anywhere, what is left is whole. */
static void test_mend(void **state)
{
    static const char whole[] = "a报é\xf0\xa0\x80\x80.";
    static const size_t left[] = {0, 1, 1, 1, 4, 4, 6, 6, 6, 6, 10, 11};
    char text[sizeof whole];
    (void)state;
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        snprintf(text, cut + 1, "%s", whole);
        width_mend(text);
        assert_int_equal(strlen(text), left[cut]);
    }
}

static void test_lines(void **state)
{
    static const struct {
        const char *text;
        int room;
        const char *lines; /* with | between them */
    } good[] = {
        {"one two three", 8, "one two|three"},
        {"unbreakable", 4, "unbr|eaka|ble"},
        {"三次握手完成", 8, "三次握手|完成"},
        {"三次握手完成", 7, "三次握|手完成"},
        {"三次握手，完成", 8, "三次握|手，完成"}, /* no line begins with ， */
        {"看（图）和表", 6, "看|（图）|和表"},
        {"等待 accept 返回", 8, "等待|accept|返回"},
        {"字", 1, "字"}, /* there is no room, and no other way */
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char lines[200] = "";
        for (const char *at = good[i].text; *at != '\0';) {
            int n = place_line(at, good[i].room);
            assert_true(n > 0);
            sprintf(lines + strlen(lines), "%s%.*s", *lines ? "|" : "", n, at);
            at = place_next(at, n);
        }
        assert_string_equal(lines, good[i].lines);
    }
}

static void test_place(void **state)
{
    char buf[16];
    struct place p = {.buf = buf, .cap = sizeof buf, .width = 5};
    (void)state;
    assert_true(place_fit(&p, "%s", "报文"));
    assert_false(place_fit(&p, "%s", "报文段"));
    place_cut(&p);
    assert_string_equal(buf, "报文");
    assert_false(place_fit(&p, "%s", "数据报数据报")); /* 18 bytes */
    place_cut(&p);
    assert_string_equal(buf, "数据");
}

static void keep(const char *line, void *kept)
{
    strcpy(kept, line);
}

/* What covers half of a wide character takes it away whole. */
static void test_canvas(void **state)
{
    char line[CANVAS_MAX * 4];
    struct canvas c = {.width = 8, .line = keep, .context = line};
    (void)state;
    canvas_clear(&c);
    canvas_paint(&c, 0, "报文段", LOOK_PLAIN);
    canvas_flush(&c);
    assert_string_equal(line, "报文段");
    canvas_paint(&c, 1, "x", LOOK_PLAIN);
    canvas_flush(&c);
    assert_string_equal(line, " x文段");
    canvas_paint(&c, 3, "序", LOOK_PLAIN);
    canvas_flush(&c);
    assert_string_equal(line, " x 序");
    canvas_paint(&c, 6, "号码", LOOK_PLAIN); /* the second is beyond */
    canvas_flush(&c);
    assert_string_equal(line, " x 序 号");
    canvas_paint(&c, 7, "手", LOOK_PLAIN); /* its second half would be */
    canvas_flush(&c);
    assert_string_equal(line, " x 序 号");
}

static void test_arrow(void **state)
{
    char out[ARROW_TEXT];
    (void)state;
    arrow_whole(out, 12, "分片", '>', true);
    assert_string_equal(out, "- 分片 ---->");
    arrow_whole(out, 12, "分片", '<', false);
    assert_string_equal(out, "<---- 分片 -");
    arrow_half(out, 12, "分片", true, true);
    assert_string_equal(out, "- 分片 - - -");
    arrow_half(out, 12, "分片", true, false);
    assert_string_equal(out, "- - - 分片 -");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of),    cmocka_unit_test(test_fit),
        cmocka_unit_test(test_mend),  cmocka_unit_test(test_lines),
        cmocka_unit_test(test_place), cmocka_unit_test(test_canvas),
        cmocka_unit_test(test_arrow),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
