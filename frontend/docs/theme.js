// Runs before the first paint, so that the reader's choice of light or dark does not flash. A classic script on purpose: modules run too late.
(function () {
  try {
    document.documentElement.dataset.theme = JSON.parse(localStorage.getItem('webp-gateway.theme') || 'null') || 'system';
  } catch {
    document.documentElement.dataset.theme = 'system';
  }
})();
