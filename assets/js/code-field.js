// A field of digits: takes "123 456" from the clipboard, and sends its form when full.
export function bind(fields) {
  for (const field of fields) {
    const length = Number(field.dataset.code);
    let before = '';
    field.addEventListener('input', () => {
      const digits = field.value.normalize('NFKC').replace(/[\s-]/g, '');
      if (digits !== field.value) field.value = digits;
      const grew = digits.length > before.length;
      before = digits;
      const full = digits.length === length && /^\d+$/.test(digits);
      if (full && grew && 'codeSubmits' in field.dataset) field.form.requestSubmit();
    });
  }
}
