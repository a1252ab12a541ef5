// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/job/outfilter.h"
#include "tests/unit/tap.h"

static void filter(bool terminal, const char *in, size_t n, const char *want, const char *what)
{
    bool same = true;
    for (size_t step = 1; step <= n; step++) {
        AUTO_BUF struct buf out = {0};
        struct outfilter f = {.guards = true, .terminal = terminal};
        for (size_t at = 0; at < n; at += step)
            outfilter_feed(&f, in + at, n - at < step ? n - at : step, &out);
        outfilter_end(&f, &out);
        if (out.len != strlen(want) || strcmp(buf_str(&out), want) != 0) {
            same = false;
            diag("in pieces of %zu: %s", step, buf_str(&out));
        }
        outfilter_done(&f);
    }
    ok(same, "%s", what);
}

#define LOG(in, want, what)  filter(false, in, sizeof(in) - 1, want, what)
#define TERM(in, want, what) filter(true, in, sizeof(in) - 1, want, "terminal: " what)

static void commands(void)
{
    LOG("plain: text, a::b, #[x] # [x]\n", "plain: text, a::b, #[x] # [x]\n", "ordinary text");
    LOG("::set-env name=A::b\n", ":\\:set-env name=A::b\n", "a command");
    LOG("a\n::x::\n", "a\n:\\:x::\n", "on the second line");
    LOG("a\r::x::\n", "a\r:\\:x::\n", "behind a carriage return, where the runner begins a line");
    LOG(" \t ::x::", " \t :\\:x::", "behind blanks");
    LOG("\xc2\xa0\xe3\x80\x80::x::", "\xc2\xa0\xe3\x80\x80:\\:x::", "behind blanks of Unicode");
    LOG("\xe2\x80\x8b:\xc2\xad:x::", "\xe2\x80\x8b:\xc2\xad\\:x::", "with what has no width");
    LOG("\x1b::x::", "\x1b:\\:x::", "behind a control character");
    LOG("a\xe2\x80\xa8::x::", "a\xe2\x80\xa8:\\:x::", "behind U+2028");
    LOG("a\xc2\x85::x::", "a\xc2\x85:\\:x::", "behind U+0085");
    LOG("a\v::x\f::y", "a\v:\\:x\f:\\:y", "behind VT and FF");
    LOG(":::x::", ":\\::x::", "three colons");
    LOG(": :x::", ": :x::", "two that are apart are none");
    LOG("x ::y::", "x ::y::", "behind text they are none");
    LOG("##[set-env name=A]b", "##\\[set-env name=A]b", "the older form");
    LOG("text ##[error]b", "text ##\\[error]b", "in the midst of a line");
    LOG("###[error]", "###\\[error]", "behind one more");
    LOG("##vso[task.setvariable]x", "##vso\\[task.setvariable]x", "Azure's");
    LOG("##VSO[x]##teamcity[y]", "##VSO\\[x]##teamcity\\[y]", "TeamCity's, either case");
    LOG("#\xe2\x80\x8b#\xc2\xad[x]", "#\xe2\x80\x8b#\xc2\xad\\[x]", "with what has no width");
    LOG("##\n[x] ## [x] ##1[x]", "##\n[x] ## [x] ##1[x]", "what is none stays");
    LOG("\x1b[31mred\x1b[0m \x1b]0;title\a", "\x1b[31mred\x1b[0m \x1b]0;title\a",
        "a log keeps its escape sequences");
}

static void terminals(void)
{
    TERM("\x1b[1;31mred\x1b[0m\x1b[K gr\xc3\xbcn \xe2\x82\xac\t\b\r\n",
         "\x1b[1;31mred\x1b[0m\x1b[K gr\xc3\xbcn \xe2\x82\xac\t\b\r\n", "colours and text");
    TERM("\x1b]0;title\a", "\\x1b]0;title\a", "a title");
    TERM("\x1b]52;c;eA==\x1b\\", "\\x1b]52;c;eA==\\x1b\\", "the clipboard");
    TERM("\x1b[6n\x1b[2J\x1b[1A\x1b[?25l", "\\x1b[6n\\x1b[2J\\x1b[1A\\x1b[?25l",
         "questions, erasing, moving about, modes");
    TERM("\x1bP+q\x1b\\", "\\x1bP+q\\x1b\\", "device control");
    TERM("\x1b\x1b[31m", "\\x1b\x1b[31m", "a sequence behind one that was none");
    TERM("\x1b[3\xc2\x9bm", "\\x1b[3\\x9bm", "one broken off by another");
    TERM("\xc2\x9b"
         "6n \xc2\xa9 \x9b"
         "6n",
         "\\x9b6n \xc2\xa9 \\x9b6n", "U+009B, two ways");
    TERM("\x0e\x0f\x7f\x05", "\\x0e\\x0f\\x7f\\x05", "shifts, DEL, ENQ");
    TERM("\x1b[000000000000000000000000000000000000m",
         "\\x1b[000000000000000000000000000000000000m", "a colour without end");
    TERM("\x1b[3", "\\x1b[3", "one that the end cuts off");
    TERM("::x::\x1b]0;t\a", ":\\:x::\\x1b]0;t\a", "commands too");
}

static void order(void)
{
    struct masker m = {0};
    masker_add(&m, "::token##[x", 11);
    masker_build(&m);
    struct outfilter f = {.mask = {.m = &m}, .guards = true};
    AUTO_BUF struct buf out = {0};
    outfilter_feed(&f, "::token##[x\n::y", 15, &out);
    ok(!outfilter_holds(&f) && f.mid_line, "the last line is not over");
    outfilter_feed(&f, "\n:", 2, &out);
    ok(outfilter_holds(&f) && !f.mid_line, "it is");
    outfilter_end(&f, &out);
    is_str(buf_str(&out), "***\n:\\:y\n:", "a secret that looks like a command is still masked");
    outfilter_done(&f);
    masker_done(&m);
}

int main(void)
{
    commands();
    terminals();
    order();
    return done_testing();
}
