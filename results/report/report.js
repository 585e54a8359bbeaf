'use strict';
// Draws the charts and makes tables sortable. The page can be read without it.
(() => {
  let data;
  let charts = [];
  const kSeries = 8;

  const color = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const seriesColor = (index) => color('series-' + (index % kSeries + 1));

  function formatLoss(value) {
    if (value === null || value === undefined) return '';
    return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toFixed(4);
  }
  const formatPercent = (value) => (value === null ? '' : (value * 100).toFixed(2) + ' %');

  // A label of the axis that fits: the whole text stands in the table beside it.
  const short = (text, length) => (text.length > length ? text.slice(0, length - 1) + '…' : text);

  function formatDuration(seconds) {
    if (seconds < 60) return seconds.toFixed(1) + ' s';
    if (seconds < 3600) return Math.floor(seconds / 60) + ' min ' + Math.round(seconds % 60) + ' s';
    return Math.floor(seconds / 3600) + ' h ' + Math.round(seconds % 3600 / 60) + ' min';
  }

  // Losses over more than a decade and a half are read on a logarithmic axis.
  function scaleFor(values) {
    const finite = values.filter((value) => typeof value === 'number');
    const low = Math.min(...finite);
    return low > 0 && Math.max(...finite) / low > 30 ? 'logarithmic' : 'linear';
  }

  // Charts one above the other share their left edge.
  const fixWidth = (scale) => { scale.width = 62; };

  function axis(title, more) {
    return Object.assign({
      title: {display: title !== '', text: title, color: color('muted')},
      ticks: {color: color('muted')},
      grid: {color: color('line'), borderColor: color('line'), tickColor: color('line')},
    }, more);
  }

  // A third of the chart for the labels of its rows, which begin at one place in charts below one
  // another.
  function categoryAxis(more) {
    return axis('', Object.assign({
      type: 'category',
      ticks: {color: color('ink'), callback: function(value) {
        return short(this.getLabelForValue(value), Math.floor(this.chart.width / 20));
      }},
      afterFit: (scale) => { scale.width = Math.max(scale.width, Math.min(145, scale.chart.width / 3)); },
    }, more));
  }

  function lossAxis(type) {
    const loss = axis('validation loss', {type});
    if (type === 'logarithmic') {
      loss.ticks.callback = function(value) {
        const digit = Math.round(value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9)));
        return digit === 1 ? String(Number(value.toPrecision(3))) : '';
      };
    }
    return loss;
  }

  // `makeConfig` is asked again whenever the colours change.
  function addChart(id, makeConfig) {
    const canvas = document.getElementById(id);
    if (!canvas) return null;
    const rows = Number(canvas.parentElement.dataset.rows);
    if (rows > 0) canvas.parentElement.style.height = rows * 2.1 + 5 + 'rem';
    const entry = {canvas, makeConfig, chart: null};
    charts.push(entry);
    draw(entry);
    return entry;
  }

  function draw(entry) {
    if (entry.chart) entry.chart.destroy();
    const config = entry.makeConfig();
    config.options = Object.assign({
      animation: false, responsive: true, maintainAspectRatio: false, locale: 'en',
    }, config.options);
    entry.chart = new Chart(entry.canvas, config);
  }

  const drawAll = () => charts.forEach(draw);

  // Learning curves

  const picks = () => Array.from(document.querySelectorAll('#curve-picks input:checked'),
                                 (box) => Number(box.value));
  const isOn = (id) => document.getElementById(id).checked;

  function curveDatasets(training, validation) {
    const datasets = [];
    picks().forEach((pick, index) => {
      const curve = data.curves[pick];
      const points = (values) => values.map((y, i) => ({x: curve.epoch[i], y}));
      const line = {borderColor: seriesColor(index), backgroundColor: seriesColor(index)};
      datasets.push(Object.assign({
        label: curve.label + ', validation',
        data: points(curve[validation]),
        borderWidth: 2,
        tension: 0.15,
        pointRadius: curve.epoch.map((epoch) => (epoch === curve.best ? 5 : 0)),
        pointHitRadius: 8,
      }, line));
      if (isOn('show-training')) {
        datasets.push(Object.assign({
          label: curve.label + ', training',
          data: points(curve[training]),
          borderWidth: 1.25,
          borderDash: [5, 4],
          tension: 0.15,
          pointRadius: 0,
          pointHitRadius: 8,
        }, line));
      }
    });
    return datasets;
  }

  // The epochs that are shown: all, or those that the reader asked for.
  function epochAxis() {
    const bound = (id) => {
      const value = parseInt(document.getElementById(id).value, 10);
      return Number.isNaN(value) ? undefined : value;
    };
    return axis('epoch', {type: 'linear', min: bound('epoch-from'), max: bound('epoch-to'),
                          ticks: {color: color('muted'), precision: 0}});
  }

  // Dragging over a chart shows the epochs under it, a double click all of them.
  function setUpZoom(entry, update) {
    const box = entry.canvas.parentElement;
    const show = (from, to) => {
      document.getElementById('epoch-from').value = from;
      document.getElementById('epoch-to').value = to;
      update();
    };
    let begin = null;
    const brush = document.createElement('div');
    brush.className = 'brush';
    entry.canvas.addEventListener('pointerdown', (event) => {
      if (event.pointerType !== 'mouse') return;  // a finger scrolls the page
      begin = event.offsetX;
      entry.canvas.setPointerCapture(event.pointerId);
    });
    entry.canvas.addEventListener('pointermove', (event) => {
      if (begin === null) return;
      box.append(brush);
      brush.style.left = Math.min(begin, event.offsetX) + 'px';
      brush.style.width = Math.abs(event.offsetX - begin) + 'px';
    });
    entry.canvas.addEventListener('pointerup', (event) => {
      const ends = [begin, event.offsetX].sort((a, b) => a - b);
      brush.remove();
      if (begin !== null && ends[1] - ends[0] > 10) {
        const epochs = ends.map((x) => entry.chart.scales.x.getValueForPixel(x));
        show(Math.max(0, Math.floor(epochs[0])), Math.ceil(epochs[1]));
      }
      begin = null;
    });
    entry.canvas.addEventListener('dblclick', () => show('', ''));
  }

  function curveConfig(training, validation, yAxis, format) {
    return {
      type: 'line',
      data: {datasets: curveDatasets(training, validation)},
      options: {
        interaction: {mode: 'nearest', intersect: false},
        scales: {x: epochAxis(), y: yAxis()},
        plugins: {
          legend: {display: false},
          tooltip: {callbacks: {
            title: (items) => 'epoch ' + items[0].parsed.x,
            label: (item) => short(item.dataset.label, 60) + ': ' + format(item.parsed.y),
          }},
        },
      },
    };
  }

  function paintSwatches() {
    let index = 0;
    document.querySelectorAll('#curve-picks label').forEach((label) => {
      const box = label.querySelector('input');
      box.style.accentColor = box.checked ? seriesColor(index++) : '';
    });
  }

  function fillCurveTable() {
    const body = document.querySelector('#curve-table tbody');
    body.replaceChildren();
    picks().forEach((pick) => {
      const curve = data.curves[pick];
      curve.epoch.forEach((epoch, i) => {
        const row = body.insertRow();
        const cell = (text, name) => {
          const td = row.insertCell();
          td.textContent = text;
          td.className = name;
        };
        cell(curve.label, '');
        cell(epoch, 'n');
        cell(formatLoss(curve.train_loss[i]), 'n');
        cell(formatLoss(curve.val_loss[i]), 'n');
        cell(formatPercent(curve.train_accuracy[i]), 'n');
        cell(formatPercent(curve.val_accuracy[i]), 'n');
      });
    });
  }

  function setUpCurves() {
    if (!document.getElementById('curve-picks')) return;
    const loss = addChart('loss-chart', () => curveConfig('train_loss', 'val_loss', () => {
      const y = lossAxis(isOn('log-loss') ? 'logarithmic' : 'linear');
      y.title.text = 'loss';
      y.afterFit = fixWidth;
      return y;
    }, formatLoss));
    const accuracy = addChart('accuracy-chart', () => curveConfig(
      'train_accuracy', 'val_accuracy',
      () => axis('accuracy', {afterFit: fixWidth, ticks: {color: color('muted'),
                                      callback: (value) => Math.round(value * 1000) / 10 + ' %'}}),
      formatPercent));
    const update = () => {
      draw(loss);
      draw(accuracy);
      paintSwatches();
      fillCurveTable();
    };
    document.getElementById('curves').addEventListener('change', update);
    setUpZoom(loss, update);
    setUpZoom(accuracy, update);
    paintSwatches();
  }

  // Ranges on a row each: the effects of a parameter, frozen against full. A value that no ranked
  // trial has is a row without a range.

  // From zero, but for losses so close together that nothing could be seen of their differences.
  function rangeAxis(ranges) {
    const losses = ranges.flat().filter((value) => typeof value === 'number');
    const near = Math.min(...losses) > Math.max(...losses) / 2;
    return Object.assign(lossAxis(scaleFor(losses)), {beginAtZero: !near, grace: near ? '10%' : 0});
  }

  function rangeConfig(labels, ranges, dots) {
    return {
      data: {
        labels,
        datasets: dots.map((dot) => ({
          type: 'line', label: dot.label, data: dot.values, showLine: false,
          pointRadius: 5, pointHoverRadius: 6, pointStyle: dot.style,
          backgroundColor: color(dot.color), borderColor: color(dot.color),
        })).concat([{
          type: 'bar', label: 'range', data: ranges, barThickness: 6, borderRadius: 3,
          borderSkipped: false, minBarLength: 2, backgroundColor: color('range'),
        }]),
      },
      options: {
        indexAxis: 'y',
        scales: {x: rangeAxis(ranges),
                 y: categoryAxis({offset: true})},
        plugins: {
          legend: {display: dots.length > 1,
                   labels: {color: color('ink'), usePointStyle: true, boxWidth: 7, boxHeight: 7,
                            filter: (item) => item.text !== 'range'}},
          tooltip: {callbacks: {
            title: (items) => short(labels[items[0].dataIndex], 60),
            label: (item) => (item.dataset.label === 'range'
              ? formatLoss(ranges[item.dataIndex][0]) + ' to ' + formatLoss(ranges[item.dataIndex][1])
              : item.dataset.label + ': ' + formatLoss(item.parsed.x)),
          }},
        },
      },
    };
  }

  function setUpEffects() {
    data.effects.forEach((effect, index) => {
      const ranges = effect.values.map((one) => (one.min === null ? null : [one.min, one.max]));
      addChart('effect-' + index, () => rangeConfig(
        effect.values.map((one) => one.value), ranges,
        [{label: 'mean', values: effect.values.map((one) => one.mean), color: 'series-1',
          style: 'circle'}]));
    });
  }

  function setUpTrainingPairs() {
    const pairs = data.training_pairs;
    const ranges = pairs.map((pair) => [Math.min(pair.frozen, pair.full),
                                        Math.max(pair.frozen, pair.full)]);
    addChart('training-chart', () => rangeConfig(
      pairs.map((pair) => pair.label), ranges,
      [{label: 'frozen', values: pairs.map((pair) => pair.frozen), color: 'series-1',
        style: 'circle'},
       {label: 'full', values: pairs.map((pair) => pair.full), color: 'series-2',
        style: 'rectRot'}]));
  }

  // Who worked when

  function timeUnit(seconds) {
    if (seconds > 3 * 3600) return {name: 'hours', seconds: 3600};
    return seconds > 3 * 60 ? {name: 'minutes', seconds: 60} : {name: 'seconds', seconds: 1};
  }

  function ganttConfig() {
    const gantt = data.gantt;
    const outcomes = Array.from(new Set(gantt.bars.map((bar) => bar.outcome)));
    const tone = {finished: 'finished', diverged: 'diverged', failed: 'failed', lost: 'failed',
                  interrupted: 'pending'};
    const unit = timeUnit(Math.max(...gantt.bars.map((bar) => bar.end)));
    const narrow = document.getElementById('gantt-chart').parentElement.clientWidth < 480;
    return {
      type: 'bar',
      data: {
        labels: gantt.rows,
        datasets: outcomes.map((outcome) => ({
          label: outcome === '' ? 'not ended' : outcome,
          backgroundColor: color(tone[outcome] || 'running'),
          borderColor: color('surface'),
          borderWidth: {left: 0, right: 1},
          borderSkipped: false,
          grouped: false,
          barPercentage: 0.8,
          categoryPercentage: 0.9,
          minBarLength: 2,
          bars: gantt.bars.filter((bar) => bar.outcome === outcome),
          data: gantt.bars.filter((bar) => bar.outcome === outcome)
            .map((bar) => ({x: [bar.begin / unit.seconds, bar.end / unit.seconds],
                            y: gantt.rows[bar.row]})),
        })),
      },
      options: {
        indexAxis: 'y',
        scales: {x: axis(unit.name + (narrow ? '' : ' since the first attempt began'),
                         {type: 'linear', min: 0}),
                 y: categoryAxis()},
        plugins: {
          legend: {labels: {color: color('ink'), boxWidth: 12, boxHeight: 12}},
          tooltip: {callbacks: {
            title: () => '',
            label: (item) => {
              const bar = item.dataset.bars[item.dataIndex];
              return [short(bar.label, 60),
                      item.dataset.label + ', ' + formatDuration(bar.end - bar.begin)];
            },
          }},
        },
      },
    };
  }

  // Tables

  function sortKey(cell) {
    const text = cell.dataset.v || cell.textContent.trim();
    const number = parseFloat(text);
    return text === '' ? null : Number.isNaN(number) || /^[0-9a-f]{8}$/.test(text) ? text : number;
  }

  // Empty cells come last, whichever way the rest is sorted.
  function compareKeys(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b), 'en');
  }

  function sortBy(header) {
    const body = header.closest('table').tBodies[0];
    const ascending = header.getAttribute('aria-sort') !== 'ascending';
    header.parentElement.querySelectorAll('th').forEach((th) => th.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const keyed = Array.from(body.rows, (row) => ({row, key: sortKey(row.cells[header.cellIndex])}));
    keyed.sort((a, b) => compareKeys(a.key, b.key, ascending ? 1 : -1));
    body.append(...keyed.map((entry) => entry.row));
  }

  function setUpSorting() {
    document.querySelectorAll('table.sortable thead th').forEach((header) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener('click', () => sortBy(header));
    });
  }

  function setUp() {
    charts.forEach((entry) => entry.chart.destroy());
    charts = [];
    data = JSON.parse(document.getElementById('report-data').textContent);
    setUpSorting();
    setUpCurves();
    setUpEffects();
    setUpTrainingPairs();
    addChart('gantt-chart', ganttConfig);
    document.documentElement.dataset.drawn = String(charts.length);
  }

  setUp();
  document.addEventListener('ranksweep-replaced', setUp);  // by live.js
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  matchMedia('print').addEventListener('change', drawAll);
})();
