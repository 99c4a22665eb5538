/* SPDX-License-Identifier: MIT
 *
 * test_opt: every type of option, what it takes and what it refuses, at its
 * bounds and beyond them; then whole command lines.
 * Read next: test_addr.c.
 */
#include "opt.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* One value of a type; min and max as in struct opt. */
struct value {
    const char *text;
    uint64_t value, min, max;
};

static void take(opt_read_fn *read, const struct value *good, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 12345;
        const struct opt o = {"name", 'n',         "X",         read,
                              &value, good[i].min, good[i].max, "help"};
        struct err e = {.text = ""};
        if (read(good[i].text, &o, &e) != 0)
            fail_msg("'%s' was refused: %s", good[i].text, e.text);
        assert_int_equal(value, good[i].value);
    }
}

static void refuse(opt_read_fn *read, const struct value *bad, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 12345;
        const struct opt o = {"name", 'n',        "X",        read,
                              &value, bad[i].min, bad[i].max, "help"};
        struct err e;
        if (read(bad[i].text, &o, &e) != -1)
            fail_msg("'%s' was taken", bad[i].text);
        assert_int_equal(e.status, STATUS_USAGE);
        assert_non_null(strstr(e.text, "--name '"));
    }
}

static void test_number(void **state)
{
    static const struct value good[] = {
        {"0", 0, 0, 0},
        {"7", 7, 7, 7},
        {"007", 7, 0, 10},
        {"18446744073709551615", UINT64_MAX, 0, 0},
    };
    static const struct value bad[] = {
        {"", 0, 0, 0},
        {" 1", 0, 0, 0},
        {"1 ", 0, 0, 0},
        {"+1", 0, 0, 0},
        {"-1", 0, 0, 0},
        {"0x10", 0, 0, 0},
        {"1e3", 0, 0, 0},
        {"1.0", 0, 0, 0},
        {"9x", 0, 0, 0},
        {"\n1", 0, 0, 0},
        {"6", 0, 7, 9},
        {"10", 0, 7, 9},
        {"0", 0, 1, 0},
        {"٣", 0, 0, 0},
        {"18446744073709551616", 0, 0, 0},
        {"99999999999999999999999", 0, 0, 0},
    };
    (void)state;
    take(opt_number, good, COUNT(good));
    refuse(opt_number, bad, COUNT(bad));
}

static void test_size(void **state)
{
    static const struct value good[] = {
        {"0", 0, 0, 0},
        {"1400", 1400, 0, 0},
        {"1400B", 1400, 0, 0},
        {"64K", 64000, 0, 0},
        {"64Ki", 65536, 0, 0},
        {"64KiB", 65536, 0, 0},
        {"1.5M", 1500000, 0, 0},
        {"0.000000001G", 1, 0, 0},
        {"2Mi", 2097152, 0, 0},
        {"1G", 1000000000, 0, 0},
        {"1Gi", 1073741824, 0, 0},
        {"65507", 65507, 1, 65507},
    };
    static const struct value bad[] = {
        {"", 0, 0, 0},
        {"K", 0, 0, 0},
        {"-1", 0, 0, 0},
        {"1k", 0, 0, 0},
        {"1KB", 0, 0, 0},
        {"1 K", 0, 0, 0},
        {"1.", 0, 0, 0},
        {".5K", 0, 0, 0},
        {"1.5.5K", 0, 0, 0},
        {"1e3", 0, 0, 0},
        {"0x1", 0, 0, 0},
        {"1.0000000001G", 0, 0, 0},
        {"65508", 0, 1, 65507},
        {"0", 0, 1, 0},
        {"99999999999999999999", 0, 0, 0},
        {"18446744073G", 0, 0, 0},
        {"1Kix", 0, 0, 0},
        {"1,5K", 0, 0, 0},
    };
    (void)state;
    take(opt_size, good, COUNT(good));
    refuse(opt_size, bad, COUNT(bad));
}

static void test_duration(void **state)
{
    static const struct value good[] = {
        {"0", 0, 0, 0},
        {"2", 2 * CLOCK_S, 0, 0},
        {"1ns", 1, 0, 0},
        {"250us", 250 * CLOCK_US, 0, 0},
        {"20ms", 20 * CLOCK_MS, 0, 0},
        {"1.5s", 1500 * CLOCK_MS, 0, 0},
        {"0.000000001s", 1, 0, 0},
        {"2m", 120 * CLOCK_S, 0, 0},
        {"1h", 3600 * CLOCK_S, 0, 0},
        {"0.5h", 1800 * CLOCK_S, 0, 0},
        {"1.999999999h", UINT64_C(7199999996400), 0, 0},
    };
    static const struct value bad[] = {
        {"", 0, 0, 0},          {"s", 0, 0, 0},    {"-1s", 0, 0, 0},
        {"1 s", 0, 0, 0},       {"1sec", 0, 0, 0}, {"1S", 0, 0, 0},
        {"1.s", 0, 0, 0},       {".5s", 0, 0, 0},  {"1.1234567890s", 0, 0, 0},
        {"inf", 0, 0, 0},       {"nan", 0, 0, 0},  {"1d", 0, 0, 0},
        {"99999999h", 0, 0, 0}, {"0", 0, 1, 0},    {"2s", 0, 0, CLOCK_S},
    };
    (void)state;
    take(opt_duration, good, COUNT(good));
    refuse(opt_duration, bad, COUNT(bad));
}

static void test_rate(void **state)
{
    static const struct value good[] = {
        {"9600bit", 9600, 0, 0},
        {"800kbit", 800000, 0, 0},
        {"1.5mbit", 1500000, 0, 0},
        {"10gbit", 10000000000, 0, 0},
    };
    static const struct value bad[] = {
        {"", 0, 0, 0},         {"10", 0, 0, 0},    {"10Mbit", 0, 0, 0},
        {"10mbit/s", 0, 0, 0}, {"-1bit", 0, 0, 0}, {"bit", 0, 0, 0},
    };
    (void)state;
    take(opt_rate, good, COUNT(good));
    refuse(opt_rate, bad, COUNT(bad));
}

static void test_percent(void **state)
{
    static const struct {
        const char *text;
        uint32_t value;
    } good[] = {{"0%", 0},     {"5%", 5000},     {"0.1%", 100},
                {"0.001%", 1}, {"100%", 100000}, {"33.333%", 33333}};
    static const char *const bad[] = {"",       "5",   "%",   "-1%", "101%",
                                      "100.1%", "5 %", "5%%", ".5%", "1e2%"};
    struct err e;
    uint32_t value;
    const struct opt o = {"loss", 0, "P", opt_percent, &value, 0, 0, ""};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(opt_percent(good[i].text, &o, &e), 0);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (opt_percent(bad[i], &o, &e) != -1)
            fail_msg("'%s' was taken", bad[i]);
}

/* A command line of a program with every kind of option. */
struct options {
    bool flag, on;
    const char *text;
    uint64_t count, wait_ns;
};

static int parse(struct options *o, char **argv, struct err *e)
{
    const struct opt table[] = {
        {"flag", 'f', NULL, opt_flag, &o->flag, 0, 0, "a flag"},
        {"off", 0, NULL, opt_off, &o->on, 0, 0, "no more"},
        {"text", 't', "TEXT", opt_text, &o->text, 0, 0, "words"},
        {"count", 'n', "N", opt_number, &o->count, 1, 9, "how many"},
        {"wait", 0, "DUR", opt_duration, &o->wait_ns, 0, 0, NULL},
        {"any", 0, "N", opt_number, &o->count, 1, 0, NULL},
        OPT_END};
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    *o = (struct options){.on = true};
    return opt_parse(table, argc, argv, e);
}

#define LINE(...)                                                              \
    (char *[])                                                                 \
    {                                                                          \
        "program", __VA_ARGS__, NULL                                           \
    }

static void test_line(void **state)
{
    struct options o;
    struct err e;
    (void)state;
    assert_int_equal(parse(&o, (char *[]){"program", NULL}, &e), 1);
    assert_false(o.flag);
    assert_true(o.on);

    char **line = LINE("host", "-fn3", "--text", "a b", "80", "--wait=1.5s");
    int first = parse(&o, line, &e);
    assert_int_equal(first, 5);
    assert_string_equal(line[first], "host"); /* operands stand anywhere */
    assert_string_equal(line[first + 1], "80");
    assert_true(o.flag);
    assert_int_equal(o.count, 3);
    assert_string_equal(o.text, "a b");
    assert_int_equal(o.wait_ns, 1500 * CLOCK_MS);

    assert_int_equal(parse(&o, LINE("-n1", "-n", "2", "--off"), &e), 5);
    assert_int_equal(o.count, 2); /* the last counts */
    assert_false(o.on);

    line = LINE("--", "-n", "--flag");
    first = parse(&o, line, &e);
    assert_string_equal(line[first], "-n");
    assert_false(o.flag);
}

static void test_bad_line(void **state)
{
    static const struct {
        char *argv[4];
        const char *text;
    } bad[] = {
        {{"program", "--none", NULL}, "unknown option '--none'"},
        {{"program", "-x", NULL}, "unknown option '-x'"},
        {{"program", "-fx", NULL}, "unknown option '-x'"},
        {{"program", "-n", NULL}, "option '-n' needs an argument"},
        {{"program", "--count", NULL}, "option '--count' needs an argument"},
        {{"program", "-n", "0", NULL}, "--count '0'"},
        {{"program", "-n", "10", NULL}, "from 1 to 9"},
        {{"program", "--count=", NULL}, "--count ''"},
        {{"program", "--flag=yes", NULL}, "option '--flag' takes no argument"},
        {{"program", "-\xc3\xa9", NULL}, "unknown option '-\xc3'"},
        {{"program", "--wait", "99999999999h", NULL}, "'99999999999h': too la"},
        {{"program", "--wait", "99999999999999999999s", NULL}, "too large"},
        {{"program", "--wait", "99999999999999999999x", NULL}, "such as 250us"},
        {{"program", "--any", "x", NULL}, "not a number from 1 up"},
        {{"program", "--wait", "x", NULL}, "such as 250us"},
        {{"program", "-", "--n", NULL}, "'--n'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *argv[4];
        struct options o;
        struct err e = {.text = ""};
        memcpy(argv, bad[i].argv, sizeof argv);
        int first = parse(&o, argv, &e);
        if (first != -1 && strcmp(argv[1], "-") != 0)
            fail_msg("%s was taken", argv[1]);
        if (first == -1) {
            assert_int_equal(e.status, STATUS_USAGE);
            if (strstr(e.text, bad[i].text) == NULL)
                fail_msg("%s: no \"%s\"", e.text, bad[i].text);
        }
    }
}

static void test_help(void **state)
{
    bool flag;
    uint64_t count;
    const struct opt table[] = {
        {"flag", 'f', NULL, opt_flag, &flag, 0, 0, "a flag"},
        {"count", 0, "N", opt_number, &count, 0, 0, "how many"},
        {"secret", 0, NULL, opt_flag, &flag, 0, 0, NULL},
        OPT_END};
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    (void)state;
    opt_help(table, f);
    fclose(f);
    assert_string_equal(text, "  -f, --flag                    a flag\n"
                              "      --count N                 how many\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),   cmocka_unit_test(test_size),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_rate),
        cmocka_unit_test(test_percent),  cmocka_unit_test(test_line),
        cmocka_unit_test(test_bad_line), cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
