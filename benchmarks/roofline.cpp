#include "roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "table.hpp"

namespace ossau::bench {
namespace {

// The page, in pixels.
constexpr double kWidth = 880;
constexpr double kHeight = 560;
constexpr double kMargin = 30;
constexpr double kLeft = 84;
constexpr double kRight = 724;
constexpr double kTop = 92;
constexpr double kBottom = 456;

constexpr const char* kStyle = R"(
  text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, "DejaVu Sans",
         sans-serif; fill: #1f2328; font-size: 13px }
  .page { fill: #ffffff; stroke: #d1d9e0 }
  .title { font-size: 18px; font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .share { font-size: 12px; stroke: #ffffff; stroke-width: 4px; paint-order: stroke }
  .grid { stroke: #e6eaef; stroke-width: 1 }
  .roof { stroke: #8b949e; stroke-width: 1.5 }
  .dashed { stroke-dasharray: 6 4 }
  .ceiling { stroke-width: 1.5; opacity: 0.65 }
  .dense { fill: #0969da; stroke: #0969da }
  .ones { fill: #bc4c00; stroke: #bc4c00 }
  .values { fill: #8250df; stroke: #8250df }
  .key { fill: #59636e; stroke: #59636e; stroke-width: 1.5 }
  .open { fill: #ffffff; stroke-width: 2 }
  text.dense, text.ones, text.values { stroke: none; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .share { stroke: #0d1117 }
    .page { stroke: #30363d }
    .quiet { fill: #9198a1 }
    .grid { stroke: #21262d }
    .roof { stroke: #768390 }
    .dense { fill: #58a6ff; stroke: #58a6ff }
    .ones { fill: #f0883e; stroke: #f0883e }
    .values { fill: #bc8cff; stroke: #bc8cff }
    .key { fill: #9198a1; stroke: #9198a1 }
    .open { fill: #0d1117 }
  }
)";

struct Point {
  const Row* row;
  const char* kind;  // its class in the style sheet
  double intensity;  // flop per byte
  double speed;      // 10^9 flop per second
  double ceiling;    // where the reference would put it
};

// A logarithmic axis from `low` at pixel `from` to `high` at pixel `to`.
struct Axis {
  double low;
  double high;
  double from;
  double to;

  double at(double value) const {
    return from + (to - from) * std::log(value / low) / std::log(high / low);
  }
};

std::string label(const std::string& subject) {
  if (subject.starts_with("sparse_ones/")) return "sparse, ones";
  if (subject.starts_with("sparse_values/")) return "sparse, values";
  return "d = " + subject.substr(subject.find("d=") + 2);
}

std::vector<Point> gradient_points(const Results& results) {
  std::vector<Point> points;
  for (const Row& row : results.rows) {
    if (row.program() != "gradient") continue;
    const std::string subject = row.subject();
    Point point{.row = &row,
                .kind = nullptr,
                .intensity = row.flops / row.bytes,
                .speed = row.flops / row.work_s.median / 1e9,
                .ceiling = row.flops / row.work_s.median / row.share.median / 1e9};
    if (subject.starts_with("dense/")) point.kind = "dense";
    if (subject.starts_with("sparse_ones/")) point.kind = "ones";
    if (subject.starts_with("sparse_values/")) point.kind = "values";
    if (point.kind == nullptr) continue;
    points.push_back(point);
  }
  return points;
}

// Bytes a second that bare reads of rows past the caches reach: the median over the dense rows.
double read_bandwidth(const std::vector<Point>& points, std::int64_t threads) {
  std::vector<double> found;
  for (const Point& point : points) {
    if (point.kind != std::string("dense") || point.row->threads != threads) continue;
    found.push_back(point.row->reference_bytes / point.row->reference_s.median);
  }
  if (found.empty()) throw std::runtime_error("no gradients of dense rows to draw");
  std::sort(found.begin(), found.end());
  return found[found.size() / 2];
}

std::string line(const char* style, double x1, double y1, double x2, double y2) {
  return fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)"
                     "\n",
                     style, x1, y1, x2, y2);
}

std::string text(const char* style, double x, double y, const char* anchor,
                 const std::string& words) {
  return fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)"
                     "\n",
                     style, x, y, anchor, words);
}

// One, two, five, ten, ... inside the axis.
std::vector<double> ticks(const Axis& axis) {
  std::vector<double> found;
  for (int power = -3; power <= 6; ++power) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double tick = step * std::pow(10.0, power);
      if (tick >= axis.low && tick <= axis.high) found.push_back(tick);
    }
  }
  return found;
}

std::string grid(const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : ticks(y)) {
    svg += line("grid", kLeft, y.at(tick), kRight, y.at(tick));
    svg += text("quiet", kLeft - 10, y.at(tick) + 4, "end", fmt::format("{:g}", tick));
  }
  for (const double tick : {0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0}) {
    if (tick < x.low || tick > x.high) continue;
    svg += line("grid", x.at(tick), kTop, x.at(tick), kBottom);
    svg += text("quiet", x.at(tick), kBottom + 20, "middle", fmt::format("{:g}", tick));
  }
  svg += text("quiet", (kLeft + kRight) / 2, kBottom + 40, "middle",
              "arithmetic intensity, flop per byte read from memory");
  svg += fmt::format(R"svg(<text class="quiet" transform="translate(30 {:.1f}) rotate(-90)" )svg"
                     R"svg(text-anchor="middle">10&#8313; flop per second</text>)svg"
                     "\n",
                     (kTop + kBottom) / 2);
  return svg;
}

std::string percent(const Point& point) {
  return fmt::format("{:.0f}", 100 * point.row->share.median);
}

std::string threads_text(std::int64_t threads) {
  return threads == 1 ? "1 thread" : fmt::format("{} threads", threads);
}

// The slope of a bandwidth, named at its right end.
std::string roof(const Axis& x, const Axis& y, double bandwidth, std::int64_t threads,
                 double label_shift) {
  const auto height = [&](double intensity) { return y.at(bandwidth / 1e9 * intensity); };
  return line(threads == 1 ? "roof dashed" : "roof", x.at(x.low), height(x.low), x.at(x.high),
              height(x.high)) +
         text("quiet", kRight + 8, height(x.high) + label_shift, "start",
              fmt::format("{:.1f} GB/s, {}", bandwidth / 1e9, threads_text(threads)));
}

// The slopes may lie on each other: the higher one's name goes up, the other's down.
std::string roofs(const Axis& x, const Axis& y, double one, double all, std::int64_t threads) {
  if (threads == 1) return roof(x, y, one, 1, 4);
  const bool all_above = all >= one;
  return roof(x, y, one, 1, all_above ? 15 : -5) + roof(x, y, all, threads, all_above ? -5 : 15);
}

// A point and the ceiling measured beside it.
std::string mark(const Axis& x, const Axis& y, const Point& point) {
  const bool one = point.row->threads == 1;
  // The two thread counts of the same rows stand side by side.
  const double px = x.at(point.intensity) + (one ? -9 : 9);
  const double top = y.at(point.ceiling);
  const std::string ceiling = fmt::format("ceiling {}", point.kind);
  return line(ceiling.c_str(), px, y.at(point.speed), px, top) +
         line(ceiling.c_str(), px - 6, top, px + 6, top) +
         fmt::format(R"(<circle class="{}{}" cx="{:.1f}" cy="{:.1f}" r="5.5"/>)"
                     "\n",
                     point.kind, one ? " open" : "", px, y.at(point.speed));
}

// Under the points of the same rows: what they are, and the shares of the ceiling by threads.
std::string labels(const Axis& x, const Axis& y, const std::vector<Point>& points) {
  std::string svg;
  for (const Point& point : points) {
    if (point.row->threads != 1) continue;
    double lowest = y.at(point.speed);
    std::string shares = percent(point);
    for (const Point& other : points) {
      if (other.row->subject() != point.row->subject() || other.row->threads == 1) continue;
      lowest = std::max(lowest, y.at(other.speed));
      shares += " &#183; " + percent(other);
    }
    const double px = x.at(point.intensity);
    svg += text(point.kind, px, lowest + 27, "middle", label(point.row->subject()));
    svg += text("share", px, lowest + 43, "middle", shares + " %");
  }
  return svg;
}

std::string heading(const Results& results, std::int64_t threads) {
  const double y = kTop - 22;
  const auto dot = [y](double x, const char* style) {
    return fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="5.5"/>)", style, x, y);
  };
  double x = kLeft + 6;
  std::string svg = text("title", kMargin, 40, "start", "Gradients at the speed of memory");
  svg += text("quiet", kWidth - kMargin, 40, "end",
              fmt::format("{}, {} cores, {}", results.machine.processor, results.machine.cores,
                          results.simd));
  svg += dot(x, "key open") + text("", x + 13, y + 4, "start", threads_text(1));
  x += 104;
  if (threads > 1) {
    svg += dot(x, "key") + text("", x + 13, y + 4, "start", threads_text(threads));
    x += 112;
  }
  svg += line("key", x - 6, y, x + 6, y);
  svg += text("", x + 14, y + 4, "start", "a bare pass over the same rows; below, % of it");
  x += 344;
  svg += line("roof", x - 10, y, x + 10, y) + text("", x + 18, y + 4, "start", "bare read");
  return svg;
}

std::string caption(const Results& results, const std::string& source) {
  return text("quiet", kMargin, kHeight - 40, "start",
              "Dense rows: well past the last cache, and read in the same order by the bare pass.  "
              "Sparse rows: 40 entries of a million features.") +
         text("quiet", kMargin, kHeight - 22, "start",
              fmt::format("Measured {} at commit {}; {}.  Derived in benchmarks/README.md.",
                          results.date, commit_text(results), source));
}

// Room for every point and for the slopes.
void fit_axes(const std::vector<Point>& points, double bandwidth, Axis& x, Axis& y) {
  for (const Point& point : points) {
    x.low = std::min(x.low, point.intensity / 1.2);
    x.high = std::max(x.high, point.intensity * 1.2);
    y.low = std::min(y.low, point.speed / 2.6);
    y.high = std::max(y.high, std::max(point.ceiling, point.speed) * 1.15);
  }
  y.high = std::max(y.high, bandwidth / 1e9 * x.high * 1.1);
}

}  // namespace

std::string roofline_svg(const Results& results, const std::string& source) {
  const std::vector<Point> points = gradient_points(results);
  std::int64_t threads = 1;
  for (const Point& point : points) threads = std::max(threads, point.row->threads);
  const double one = read_bandwidth(points, 1);
  const double all = read_bandwidth(points, threads);
  Axis x{.low = 1, .high = 1, .from = kLeft, .to = kRight};
  Axis y{.low = 1e9, .high = 0, .from = kBottom, .to = kTop};
  fit_axes(points, std::max(one, all), x, y);
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" )"
      R"(height="{1:g}" role="img">)"
      "\n<title>Roofline of Ossau's gradients</title>\n<style>{2}</style>\n"
      R"(<rect class="page" x="0.5" y="0.5" width="{3:g}" height="{4:g}" rx="10"/>)"
      "\n",
      kWidth, kHeight, kStyle, kWidth - 1, kHeight - 1);
  svg += grid(x, y) + roofs(x, y, one, all, threads);
  for (const Point& point : points) svg += mark(x, y, point);
  return svg + labels(x, y, points) + heading(results, threads) + caption(results, source) +
         "</svg>\n";
}

}  // namespace ossau::bench
