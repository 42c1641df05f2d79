// The choice of appearance shows at once and is kept without leaving the page.
export function bind([form]) {
  form.querySelector('[data-theme-save]').hidden = true;
  form.addEventListener('change', async () => {
    const body = new URLSearchParams(new FormData(form));
    document.documentElement.dataset.theme = body.get('theme');
    const kept = await fetch(form.action, { method: 'POST', body }).catch(() => null);
    if (!kept?.ok) form.submit();
  });
}
