// SPDX-License-Identifier: Apache-2.0
#include "internal/job/plot.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/job/stats.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    WIDTH = 860,
    LEFT = 74,
    RIGHT = 24,
    TOP = 64,
    PANEL = 118,
    GAP = 52,
    N_PANELS = 4,
    HEIGHT = TOP + N_PANELS * (PANEL + GAP) + 8,
    SERIES_MAX = 3,
};
#define INNER (WIDTH - LEFT - RIGHT)

struct series {
    const char *name;
    const char *color;
    double *v; // one a row, NAN where it is not known; owned
};

struct panel {
    const char *title;
    struct series series[SERIES_MAX];
    size_t n;
    const char *unit;
    double limit; // a line across; NAN: none
    double top;   // the largest value that is to be seen
    bool stacked; // areas, one upon the other
};

struct plot {
    const struct stats_row *rows;
    size_t n;
    double seconds; // of the last row
    struct buf *out;
};

// --- values -------------------------------------------------------------------------------------

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double value(uint64_t n)
{
    return n == USAGE_UNKNOWN ? NAN : (double)n;
}

#define LEVELS(plot, field) levels(plot, offsetof(struct usage, field))
#define RATES(plot, field)  rates(plot, offsetof(struct usage, field))

static double at(const struct plot *p, size_t row, size_t field)
{
    uint64_t n;
    memcpy(&n, (const char *)&p->rows[row].usage + field, sizeof(n));
    return value(n);
}

static double *levels(const struct plot *p, size_t field)
{
    double *v = mem_grow(NULL, p->n, sizeof(*v));
    for (size_t i = 0; i < p->n; i++)
        v[i] = at(p, i, field);
    return v;
}

// Of a total: its growth a second, in the interval that ends at the row.
static double *rates(const struct plot *p, size_t field)
{
    double *v = mem_grow(NULL, p->n, sizeof(*v));
    for (size_t i = 1; i < p->n; i++) {
        double dt = (double)(p->rows[i].elapsed_us - p->rows[i - 1].elapsed_us) / 1e6;
        double growth = at(p, i, field) - at(p, i - 1, field);
        v[i] = p->rows[i].elapsed_us > p->rows[i - 1].elapsed_us ? (growth < 0 ? 0 : growth) / dt
                                                                 : v[i - 1];
    }
    v[0] = p->n > 1 ? v[1] : NAN;
    return v;
}

static void scale(const struct plot *p, struct panel *panel, double by)
{
    for (size_t s = 0; s < panel->n; s++)
        for (size_t i = 0; i < p->n; i++)
            panel->series[s].v[i] *= by;
    panel->limit *= by;
}

static void find_top(const struct plot *p, struct panel *panel)
{
    panel->top = 0;
    for (size_t i = 0; i < p->n; i++) {
        double sum = 0;
        for (size_t s = 0; s < panel->n; s++) {
            double v = panel->series[s].v[i];
            if (isnan(v))
                continue;
            sum = panel->stacked ? sum + v : larger(sum, v);
        }
        panel->top = larger(panel->top, sum);
    }
    // A limit far above what was used would make a flat line of it.
    if (!isnan(panel->limit) && panel->limit < panel->top * 4)
        panel->top = larger(panel->top, panel->limit);
}

static void choose_unit(const struct plot *p, struct panel *panel, const char *const *units)
{
    double by = 1;
    for (size_t i = 0; i < 4; i++) {
        panel->unit = units[i];
        if (panel->top * by < 1024)
            break;
        by /= i < 3 ? 1024 : 1;
    }
    scale(p, panel, by);
    panel->top *= by;
}

static bool is_known(const struct plot *p, const struct panel *panel)
{
    for (size_t s = 0; s < panel->n; s++)
        for (size_t i = 0; i < p->n; i++)
            if (!isnan(panel->series[s].v[i]))
                return true;
    return false;
}

// --- drawing ------------------------------------------------------------------------------------

// A round number that divides the range into three to six.
static double step_of(double range)
{
    static const double steps[] = {0.1, 0.2, 0.25, 0.5, 1, 2};
    double power = 1;
    while (range > 0 && power > range)
        power /= 10;
    while (range >= power * 10)
        power *= 10;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (range / (steps[i] * power) <= 5.5)
            return steps[i] * power;
    return power;
}

// The least multiple of step, at least one, that is not below the value.
static double round_up(double v, double step)
{
    unsigned n = 1;
    while (n < 100 && n * step < v * 0.999999)
        n++;
    return n * step;
}

static void add_text(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            buf_adds(out, "&lt;");
        else if (*s == '&')
            buf_adds(out, "&amp;");
        else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
            buf_addc(out, '?'); // XML takes neither control characters nor broken UTF-8
        else
            buf_addc(out, *s);
    }
}

static double x_of(const struct plot *p, size_t row)
{
    return LEFT + (double)p->rows[row].elapsed_us / 1e6 / p->seconds * INNER;
}

static double y_of(double v, double top, int y0)
{
    return y0 + PANEL - v / top * PANEL;
}

static void draw_grid(const struct plot *p, const struct panel *panel, double top, double step,
                      int y0)
{
    for (unsigned i = 0; i * step <= top * 1.0001; i++) {
        double v = i * step;
        double y = y_of(v, top, y0);
        buf_addf(p->out, "<path class=\"g\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
        buf_addf(p->out, "<text class=\"e\" x=\"%d\" y=\"%.1f\">%.6g</text>\n", LEFT - 8, y + 4, v);
    }
    double seconds = step_of(p->seconds);
    for (unsigned i = 0; i * seconds <= p->seconds * 1.0001; i++) {
        double t = i * seconds;
        double x = LEFT + t / p->seconds * INNER;
        buf_addf(p->out, "<path class=\"g\" d=\"M%.1f %dv%d\"/>", x, y0, PANEL);
        buf_addf(p->out, "<text class=\"m\" x=\"%.1f\" y=\"%d\">%.6g s</text>\n", x,
                 y0 + PANEL + 16, t);
    }
    (void)panel;
}

// A line, or with lower the area between the two; broken where a value is not known.
static void draw_series(const struct plot *p, const struct series *s, const double *lower,
                        double top, int y0)
{
    for (size_t i = 0; i < p->n;) {
        size_t from = i;
        while (i < p->n && !isnan(s->v[i]))
            i++;
        if (i > from + 1) {
            buf_adds(p->out, lower ? "<path stroke=\"none\" fill-opacity=\"0.75\" "
                                   : "<path fill=\"none\" stroke-width=\"1.6\" ");
            buf_addf(p->out, "%s=\"%s\" d=\"", lower ? "fill" : "stroke", s->color);
            for (size_t k = from; k < i; k++)
                buf_addf(p->out, "%c%.1f %.1f", k == from ? 'M' : 'L', x_of(p, k),
                         y_of(s->v[k] + (lower ? lower[k] : 0), top, y0));
            for (size_t k = i; lower && k-- > from;)
                buf_addf(p->out, "L%.1f %.1f", x_of(p, k), y_of(lower[k], top, y0));
            buf_adds(p->out, "\"/>\n");
        }
        i += i == from || i < p->n;
    }
}

static void draw_stack(const struct plot *p, const struct panel *panel, double top, int y0)
{
    AUTO_FREE double *lower = mem_grow(NULL, p->n, sizeof(*lower));
    for (size_t i = 0; i < p->n; i++)
        lower[i] = 0;
    for (size_t s = 0; s < panel->n; s++) {
        draw_series(p, &panel->series[s], lower, top, y0);
        for (size_t i = 0; i < p->n; i++)
            lower[i] += isnan(panel->series[s].v[i]) ? 0 : panel->series[s].v[i];
    }
}

static void draw_limit(const struct plot *p, const struct panel *panel, double top, int y0)
{
    if (isnan(panel->limit))
        return;
    if (panel->limit <= top)
        buf_addf(p->out, "<path class=\"l\" d=\"M%d %.1fH%d\"/>", LEFT, y_of(panel->limit, top, y0),
                 WIDTH - RIGHT);
    buf_addf(p->out, "<text class=\"e r\" x=\"%d\" y=\"%d\">limit %.6g %s</text>\n", WIDTH - RIGHT,
             y0 - 10, panel->limit, panel->unit);
}

static void draw_heading(const struct plot *p, const struct panel *panel, int y0)
{
    double x = LEFT + 8.0 * (double)(strlen(panel->title) + strlen(panel->unit)) + 34;
    buf_addf(
        p->out,
        "<text class=\"h\" x=\"%d\" y=\"%d\">%s<tspan class=\"u\" dx=\"8\">%s</tspan></text>\n",
        LEFT, y0 - 10, panel->title, panel->unit);
    for (size_t s = 0; s < panel->n; s++) {
        buf_addf(p->out,
                 "<rect x=\"%.0f\" y=\"%d\" width=\"10\" height=\"10\" rx=\"2\" fill=\"%s\"/>", x,
                 y0 - 19, panel->series[s].color);
        buf_addf(p->out, "<text x=\"%.0f\" y=\"%d\">%s</text>\n", x + 15, y0 - 10,
                 panel->series[s].name);
        x += 8.0 * (double)strlen(panel->series[s].name) + 36;
    }
}

static void draw_panel(const struct plot *p, struct panel *panel, int y0)
{
    draw_heading(p, panel, y0);
    if (!is_known(p, panel)) {
        buf_addf(p->out,
                 "<text class=\"m\" x=\"%d\" y=\"%d\">not known: the job's cgroup had no file "
                 "of it</text>\n",
                 LEFT + INNER / 2, y0 + PANEL / 2);
        return;
    }
    double step = step_of(panel->top);
    double top = round_up(panel->top, step);
    draw_grid(p, panel, top, step, y0);
    if (panel->stacked)
        draw_stack(p, panel, top, y0);
    else
        for (size_t s = 0; s < panel->n; s++)
            draw_series(p, &panel->series[s], NULL, top, y0);
    draw_limit(p, panel, top, y0);
}

// --- the whole ----------------------------------------------------------------------------------

static const char *const byte_units[] = {"bytes", "KiB", "MiB", "GiB"};
static const char *const rate_units[] = {"bytes/s", "KiB/s", "MiB/s", "GiB/s"};

// The last that was said of a limit.
static double memory_limit(const struct plot *p)
{
    for (size_t i = p->n; i-- > 0;)
        if (p->rows[i].usage.memory_max_bytes != USAGE_UNKNOWN)
            return value(p->rows[i].usage.memory_max_bytes);
    return NAN;
}

static void make_panels(const struct plot *p, struct panel *panels)
{
    panels[0] = (struct panel){.title = "Processors",
                               .series = {{"user", "#2f6fde", RATES(p, cpu_user_us)},
                                          {"system", "#f2a93b", RATES(p, cpu_system_us)}},
                               .n = 2,
                               .stacked = true,
                               .limit = NAN,
                               .unit = "in use"};
    panels[1] = (struct panel){.title = "Memory",
                               .series = {{"memory", "#3c9d6b", LEVELS(p, memory_bytes)},
                                          {"swap", "#b46ac9", LEVELS(p, swap_bytes)}},
                               .n = 2,
                               .stacked = true,
                               .limit = memory_limit(p),
                               .unit = ""};
    panels[2] = (struct panel){.title = "Disk",
                               .series = {{"read", "#2f6fde", RATES(p, read_bytes)},
                                          {"written", "#d9534f", RATES(p, write_bytes)}},
                               .n = 2,
                               .limit = NAN,
                               .unit = ""};
    panels[3] = (struct panel){.title = "Stalled",
                               .series = {{"processor", "#2f6fde", RATES(p, cpu_stall_us)},
                                          {"memory", "#3c9d6b", RATES(p, memory_stall_us)},
                                          {"disk", "#d9534f", RATES(p, io_stall_us)}},
                               .n = 3,
                               .limit = NAN,
                               .unit = "% of the time"};
    scale(p, &panels[0], 1e-6);
    scale(p, &panels[3], 1e-4);
    for (size_t i = 0; i < N_PANELS; i++)
        find_top(p, &panels[i]);
    choose_unit(p, &panels[1], byte_units);
    choose_unit(p, &panels[2], rate_units);
}

static void draw_head(const struct plot *p, const char *title)
{
    buf_addf(p->out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
             "height=\"%d\" font-family=\"system-ui,sans-serif\" font-size=\"12\" fill=\"#444\">\n"
             "<style>.g{stroke:#e3e3e3;fill:none}.l{stroke:#c0392b;stroke-dasharray:5 "
             "4;fill:none}.e{text-anchor:end}.m{text-anchor:middle}.r{fill:#c0392b}"
             ".h{font-size:14px;font-weight:600;fill:#222}.u{font-size:12px;font-weight:400;"
             "fill:#777}</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"26\" "
             "font-size=\"16\" font-weight=\"600\" fill=\"#222\">",
             WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
    add_text(p->out, title);
    buf_adds(p->out, "</text>\n");
}

int plot_svg(const struct stats_row *rows, size_t n, const char *title, struct buf *out)
{
    struct plot p = {.rows = rows, .n = n, .out = out};
    struct panel panels[N_PANELS];
    if (n < 2 || rows[n - 1].elapsed_us == 0)
        return -EINVAL;
    p.seconds = (double)rows[n - 1].elapsed_us / 1e6;
    make_panels(&p, panels);
    draw_head(&p, title);
    for (int i = 0; i < N_PANELS; i++) {
        draw_panel(&p, &panels[i], TOP + i * (PANEL + GAP));
        for (size_t s = 0; s < panels[i].n; s++)
            free(panels[i].series[s].v);
    }
    buf_adds(out, "</svg>\n");
    return 0;
}
