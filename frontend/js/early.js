// Runs before the first paint, so that theme and language do not flash. A classic script on purpose: modules run too late.
(function () {
  const root = document.documentElement;
  const read = (/** @type {string} */ name) => {
    try {
      return JSON.parse(localStorage.getItem('webp-gateway.' + name) || 'null');
    } catch {
      return null;
    }
  };
  root.classList.add('js');
  root.dataset.theme = read('theme') || 'system';
  const language = [read('language') || '', ...navigator.languages].find((each) => /^(zh|en)\b/i.test(each)) || 'en';
  if (/^zh/i.test(language)) root.classList.add('switching');
})();
