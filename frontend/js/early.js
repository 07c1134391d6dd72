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
  // The gateway sent the page in the browser's language. Where the reader chose another, it is hidden until it is translated.
  const language = read('language');
  if (language && language !== root.lang) root.classList.add('switching');
})();
