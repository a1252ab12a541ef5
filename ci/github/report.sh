# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: what --result and --stats-log say, as outputs, annotation and summary.

field() { # FILE JQ-PATH: "" where it is null
    jq -r "$2 // \"\" | tostring" "$1" 2>/dev/null || true
}

in_seconds() { awk -v n="$1" 'BEGIN { if (n ~ /^[0-9]+$/) printf "%.3f", n / 1e6 }'; }

# report_outputs RESULT: the outputs that come from the result file
report_outputs() {
    local user system peak
    user=$(field "$1" .user_us) system=$(field "$1" .system_us)
    peak=$(field "$1" '(.peak_memory_bytes // .max_rss_bytes)')
    set_output outcome "$(field "$1" .outcome)"
    set_output result-file "$1"
    set_output peak-memory "$peak"
    set_output cpu-seconds "${user:+$(in_seconds $((user + system)))}"
    set_output wall-seconds "$(in_seconds "$(field "$1" .wall_us)")"
    set_output oom "$([ "$(field "$1" .oom_kills)" -gt 0 ] 2>/dev/null && echo true || echo false)"
    set_output kept-path "$(field "$1" .kept)"
}

# report_failure RESULT STATUS: the verdict, as one annotation
report_failure() {
    local text
    text=$(field "$1" '(.verdict.text? // .error.message?)')
    [ -n "$text" ] || case $(field "$1" .outcome) in
    timeout) text="the job ran longer than its timeout allows" ;;
    stall-timeout) text="the job printed nothing for as long as its stall-timeout allows" ;;
    signal) text="signal $(field "$1" .signal) ended the job" ;;
    *) text="the job ended with status $2" ;;
    esac
    local hint
    hint=$(field "$1" '(.verdict.hint? // .error.hint?)')
    annotate error "bryo: exit status $2" "$text${hint:+$'\n'$hint}"
}

# chart CSV: memory and CPU over time, in the words that a summary draws (mermaid xychart)
chart() {
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { n++; t[n] = $at["time_s"]; cpu[n] = $at["cpu_us"]; mem[n] = $at["memory_bytes"] }
        function series(kind,   i, j, v, text) {
            text = ""
            for (i = 1; i <= shown; i++) {
                j = int((i - 1) * (n - 2) / (shown > 1 ? shown - 1 : 1)) + 2
                if (kind == "mem") v = mem[j] / 1048576
                else v = t[j] > t[j - 1] ? (cpu[j] - cpu[j - 1]) / (t[j] - t[j - 1]) / 1e4 : 0
                text = text (i > 1 ? ", " : "") sprintf("%.1f", v)
            }
            return text
        }
        function draw(title, axis, kind) {
            printf "```mermaid\nxychart-beta\n  title \"%s\"\n  x-axis \"seconds\" 0 --> %.0f\n", title, t[n]
            printf "  y-axis \"%s\"\n  line [%s]\n```\n\n", axis, series(kind)
        }
        END {
            if (n < 3) exit
            shown = n - 1 < 60 ? n - 1 : 60
            if (at["cpu_us"]) draw("CPU", "% of a core", "cpu")
            if (at["memory_bytes"]) draw("Memory", "MiB", "mem")
        }' "$1"
}

# report_summary RESULT STATUS TITLE [CSV]
report_summary() {
    local peak
    [ -n "${GITHUB_STEP_SUMMARY:-}" ] || return 0
    peak=$(field "$1" '(.peak_memory_bytes // .max_rss_bytes)')
    {
        printf '### bryo: %s\n\n' "$(tr -d '\r\n`|<>' <<<"$3")"
        echo "| outcome | status | wall | CPU user | CPU system | peak memory | read | written | peak processes |"
        echo "|---|---|---|---|---|---|---|---|---|"
        printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n\n' "$(field "$1" .outcome)" "$2" \
            "$(human_seconds "$(field "$1" .wall_us)")" "$(human_seconds "$(field "$1" .user_us)")" \
            "$(human_seconds "$(field "$1" .system_us)")" "$(human_bytes "$peak")" \
            "$(human_bytes "$(field "$1" .read_bytes)")" \
            "$(human_bytes "$(field "$1" .write_bytes)")" "$(field "$1" '.peak_processes // "-"')"
        [ -z "${4:-}" ] || [ ! -s "$4" ] || chart "$4"
    } >>"$GITHUB_STEP_SUMMARY"
}
