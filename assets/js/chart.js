// Draws the table inside a figure as a chart above it. The library comes only to pages that have one; its colours are those of the
// swatches in the table's head, so that light and dark follow the one style sheet.
import './chart-library.js';

const { Chart } = globalThis;

export function bind(figures) {
  const drawn = figures.map((figure) => draw(figure));
  const redraw = () => {
    for (const one of drawn) one.recolour();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
}

const colourOf = (element) => getComputedStyle(element).color;

function read(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows];
  return {
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    // Beside a bar stands its number: a short bar says little.
    numbered: rows.map((row) => `${row.cells[0].textContent.trim()}  ${row.cells[1].textContent.trim()}`),
    series: heads.map((head, at) => ({
      label: head.textContent.trim(),
      swatch: head.querySelector('[data-swatch]'),
      // One series of several kinds takes the colour of each row.
      swatches: rows.map((row) => row.cells[0].querySelector('[data-swatch]')),
      values: rows.map((row) => Number(row.cells[at + 1].dataset.value)),
    })),
  };
}

function draw(figure) {
  const { labels, numbered, series } = read(figure.querySelector('table'));
  const isBar = figure.dataset.chart === 'bar';
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', figure.dataset.summary);
  figure.querySelector('[data-chart-space]').append(canvas);
  Chart.defaults.font.family = getComputedStyle(figure).fontFamily;
  const chart = new Chart(canvas, {
    type: isBar ? 'bar' : 'line',
    data: { labels: isBar ? numbered : labels, datasets: series.map(({ label, values }) => ({ label, data: values })) },
    options: optionsFor(isBar),
  });
  const recolour = () => {
    paint(chart, figure, series, isBar);
    chart.update('none');
  };
  recolour();
  return { recolour };
}

function optionsFor(isBar) {
  const numbers = { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 5 }, border: { display: false } };
  const names = { grid: { display: false }, ticks: { maxRotation: 0, autoSkip: !isBar, autoSkipPadding: 16 } };
  return {
    indexAxis: isBar ? 'y' : 'x',
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: 'index', intersect: false, axis: isBar ? 'y' : 'x' },
    scales: isBar ? { x: numbers, y: { ...names, border: { display: false } } } : { x: names, y: numbers },
    plugins: { colors: { enabled: false }, legend: { display: false }, tooltip: { displayColors: !isBar } },
  };
}

function paint(chart, figure, series, isBar) {
  const ink = colourOf(figure.querySelector('[data-chart-ink]'));
  const line = getComputedStyle(figure).borderTopColor;
  chart.options.color = ink;
  chart.options.font = { family: getComputedStyle(figure).fontFamily, size: 12 };
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = ink;
    scale.grid = { ...scale.grid, color: line };
  }
  chart.data.datasets.forEach((set, at) => {
    const colours = isBar ? series[at].swatches.map(colourOf) : colourOf(series[at].swatch);
    Object.assign(set, {
      backgroundColor: colours,
      borderColor: colours,
      pointBackgroundColor: colours,
      pointBorderColor: colours,
      borderWidth: isBar ? 0 : 2,
      borderRadius: 3,
      barThickness: 14,
      pointRadius: chart.data.labels.length > 31 ? 0 : 2,
      pointHitRadius: 12,
      cubicInterpolationMode: 'monotone',
    });
  });
}
