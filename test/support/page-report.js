// Runs inside a page: what a careful eye would note about it. An expression, so that it can be handed to the browser as text.
(() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const painter = canvas.getContext('2d', { willReadFrequently: true });

  /** Red, green, blue and opacity of any colour that CSS knows. */
  function toRgba(colour) {
    painter.clearRect(0, 0, 1, 1);
    painter.fillStyle = colour;
    painter.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = painter.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }

  const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));

  /** Relative luminance (WCAG 2.2). */
  function luminance(rgb) {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  /** What lies behind an element's text, or null where a picture does. */
  function groundOf(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none') return null;
      const colour = toRgba(style.backgroundColor);
      layers.unshift(colour);
      if (colour[3] === 1) break;
    }
    const canvasColour = matchMedia('(prefers-color-scheme: dark)').matches ? 18 : 255;
    return layers.reduce((under, colour) => over(colour, under), [canvasColour, canvasColour, canvasColour]);
  }

  const isSeen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && width > 1 && height > 1;
  };
  const nameOf = (element) => {
    const text = element.labels?.[0]?.textContent ?? element.textContent ?? '';
    return `${element.localName} ${text.replace(/\s+/g, ' ').trim().slice(0, 40)}`;
  };

  /** Texts whose contrast is below AA (WCAG 2.2, 1.4.3). */
  function paleTexts() {
    const pale = [];
    for (const element of document.body.querySelectorAll('*')) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim() !== '');
      const ground = hasText && isSeen(element) && !element.closest('svg, option') ? groundOf(element) : null;
      if (!ground) continue;
      const style = getComputedStyle(element);
      const text = over(toRgba(style.color), ground);
      const [light, dark] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (contrast < (isLarge ? 3 : 4.5)) pale.push(`${nameOf(element)}: ${contrast.toFixed(2)}`);
    }
    return pale;
  }

  const focusable = () =>
    [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter(
      isSeen,
    );

  /** Whatever may show the focus: on the element itself, or on what it sits in. */
  function marks(element) {
    const found = [];
    for (let at = element, height = 0; at && height < 4; at = at.parentElement, height++) {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderTopWidth, borderTopColor } =
        getComputedStyle(at);
      const border = borderTopWidth === '0px' ? 'none' : borderTopColor;
      const outline = outlineStyle === 'none' || toRgba(outlineColor)[3] === 0 ? 'none' : outlineWidth + outlineColor;
      found.push(outline, boxShadow, border);
    }
    return found.join(' ');
  }

  /** Works once a key has moved the focus: until then browsers think that nobody uses the keyboard. */
  function hiddenFocus() {
    return focusable().filter((element) => {
      document.activeElement.blur();
      const before = marks(element);
      element.focus();
      return document.activeElement !== element || marks(element) === before;
    });
  }

  const isNamed = (element) =>
    [...(element.labels ?? [])].some((label) => label.textContent.trim() !== '') ||
    Boolean(element.getAttribute('aria-label') || element.getAttribute('aria-labelledby')) ||
    (element.localName !== 'input' && element.textContent.trim() !== '') ||
    element.querySelector('img[alt]:not([alt=""])') !== null;

  return {
    width: document.scrollingElement.scrollWidth,
    headings: [...document.querySelectorAll('h1')].filter(isSeen).length,
    landmarks: document.querySelectorAll('main').length,
    isTitled: document.title.trim() !== '' && document.documentElement.lang !== '',
    nameless: focusable()
      .filter((element) => !isNamed(element))
      .map((element) => element.outerHTML.slice(0, 120)),
    hiddenFocus: hiddenFocus().map(nameOf),
    paleTexts: paleTexts(),
    groundLuminance: luminance(over(toRgba(getComputedStyle(document.body).backgroundColor), [128, 128, 128])),
    // Whoever asks for less motion gets none.
    moving: document.getAnimations().map(({ effect }) => nameOf(effect.target)),
  };
})();
