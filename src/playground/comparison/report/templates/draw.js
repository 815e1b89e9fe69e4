for (const holder of document.querySelectorAll("script[type='application/json'][data-chart]")) {
  const figure = JSON.parse(holder.textContent);
  Plotly.newPlot(holder.dataset.chart, figure.data, figure.layout,
    {responsive: true, displaylogo: false, toImageButtonOptions: {format: "png", scale: 2}});
}
