// htmx for the console: replaces parts of a page while its address keeps everything. Strict: nothing is evaluated, nothing inline.
import htmx from './htmx.js';

htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;

// An answer that is no page of ours (a session that has ended, an outage) is shown whole instead of inside a part.
document.addEventListener('htmx:beforeSwap', (event) => {
  if (event.detail.xhr.status >= 400) location.reload();
});
