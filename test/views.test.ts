// Draws every sample of every view and checks what must hold on each page, whatever it shows.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAssets, iconNames } from '../src/web/assets.ts';
import { consolePlaces, createViews, escapeHtml } from '../src/web/views.ts';
import { markup, type Sample, samplePage, samples } from './support/view-samples.ts';

const root = join(import.meta.dirname, '..');
const assets = createAssets(root);
const views = createViews(join(root, 'views'));
const draw = (sample: Sample) =>
  views.render(sample.view, samplePage(sample.title, assets.url, sample.page), sample.locals);

interface Tag {
  name: string;
  attributes: Map<string, string>;
  /** Where the tag begins and ends in the page. */
  at: number;
  end: number;
}

/** Start tags of a page; enough of a parser, since templates quote all attributes and escape all quotes. */
function tagsOf(html: string): Tag[] {
  return [...html.matchAll(/<([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/g)].map((match) => ({
    name: match[1] ?? '',
    attributes: new Map(
      [...(match[2] ?? '').matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map((pair) => [pair[1] ?? '', pair[2] ?? '']),
    ),
    at: match.index,
    end: match.index + match[0].length,
  }));
}

const named = (tags: Tag[], ...names: string[]) => tags.filter((tag) => names.includes(tag.name));
const valuesOf = (tags: Tag[], attribute: string) => tags.flatMap((tag) => tag.attributes.get(attribute) ?? []);
const field = (html: string, name: string) =>
  named(tagsOf(html), 'input').find((tag) => tag.attributes.get('name') === name);
const sampleOf = (view: string, variant: string): Sample => {
  const found = samples.find((sample) => sample.view === view && sample.variant === variant);
  if (!found) throw new Error(`no sample ${view} ${variant}`);
  return found;
};
/** Text of the element that begins with this tag; good for elements that hold none of their own name. */
const textOf = (html: string, tag: Tag) =>
  html
    .slice(tag.end, html.indexOf(`</${tag.name}>`, tag.end))
    .replace(/<[^>]*>/g, '')
    .trim();

describe.each(samples.map((sample) => [`${sample.view} (${sample.variant})`, sample] as const))(
  '%s',
  (_name, sample) => {
    it('is a whole page: language, title, one main, one h1, a skip link that leads somewhere', async () => {
      const html = await draw(sample);
      const tags = tagsOf(html);
      expect(html).toMatch(/^<!doctype html>\n<html lang="en" data-theme="(auto|light|dark)">/);
      expect(html).toMatch(/<title>[^<]+ · KaseyaOne<\/title>/);
      expect(named(tags, 'h1')).toHaveLength(1);
      expect(named(tags, 'main')).toHaveLength(1);
      const ids = valuesOf(tags, 'id');
      expect(new Set(ids).size, 'ids are unique').toBe(ids.length);
      for (const target of valuesOf(tags, 'href').filter((href) => href.startsWith('#')))
        expect(ids).toContain(target.slice(1));
    });

    it('shows no missing value', async () => {
      expect(await draw(sample)).not.toMatch(/undefined|\bnull\b|\[object|NaN/);
    });

    it('WEB-05 holds nothing inline and nothing remote that the CSP would have to allow', async () => {
      const html = await draw(sample);
      const tags = tagsOf(html);
      expect(html).not.toMatch(/<style|javascript:/i);
      for (const tag of tags) {
        for (const attribute of tag.attributes.keys()) expect(attribute).not.toMatch(/^(style|on.*)$/);
      }
      for (const script of named(tags, 'script')) expect(script.attributes.get('src')).toMatch(/^\/assets\//);
      expect(html.match(/<script/g)?.length).toBe(named(tags, 'script').length);
      for (const address of valuesOf(named(tags, 'img', 'use'), 'src')) expect(address).toMatch(/^(\/|data:image\/)/);
      for (const address of valuesOf(named(tags, 'link', 'use'), 'href')) expect(address).toMatch(/^\/assets\//);
    });

    it('WEB-08 escapes markup in names', async () => {
      const html = await draw(sample);
      expect(html).not.toContain('<script>');
      expect(html).not.toMatch(/<img src=x/);
      if (JSON.stringify(sample.locals).includes(JSON.stringify(markup).slice(1, -1))) {
        expect(html).toContain('&#60;script&#62;alert(&#34;x&#34;)');
      }
    });

    it('labels every field and names every button', async () => {
      const html = await draw(sample);
      const tags = tagsOf(html);
      const labels = valuesOf(named(tags, 'label'), 'for');
      const ids = valuesOf(tags, 'id');
      const fields = named(tags, 'input', 'select', 'textarea').filter(
        (tag) => tag.attributes.get('type') !== 'hidden',
      );
      for (const tag of fields) {
        const before = html.slice(0, tag.at);
        const isInsideLabel = before.lastIndexOf('<label') > before.lastIndexOf('</label>');
        const labelled = tag.attributes.get('aria-labelledby');
        const isLabelled =
          isInsideLabel ||
          tag.attributes.has('aria-label') ||
          labels.includes(tag.attributes.get('id') ?? '') ||
          (labelled !== undefined && ids.includes(labelled));
        expect(isLabelled, JSON.stringify([...tag.attributes])).toBe(true);
      }
      for (const label of labels) expect(ids).toContain(label);
      for (const attribute of ['aria-describedby', 'aria-labelledby', 'aria-controls']) {
        for (const list of valuesOf(tags, attribute)) for (const id of list.split(' ')) expect(ids).toContain(id);
      }
      for (const tag of named(tags, 'button', 'summary', 'a', 'h1', 'h2', 'label')) {
        expect(
          textOf(html, tag) || tag.attributes.get('aria-label') || html.slice(tag.end).match(/^\s*<img[^>]*alt="[^"]/),
        ).toBeTruthy();
      }
      for (const image of named(tags, 'img')) expect(image.attributes.has('alt')).toBe(true);
    });

    it('WEB-06 changes things only by POST with the token, with one main button a form', async () => {
      const html = await draw(sample);
      for (const [form] of html.matchAll(/<form[\s\S]*?<\/form>/g)) {
        const tags = tagsOf(form);
        // Our token is for us alone.
        if (sample.view === 'interaction/sso-post') {
          expect(tags[0]?.attributes.get('action')).toMatch(/^https:/);
          expect(html).not.toContain('csrf-token-of-the-sample');
          continue;
        }
        expect(tags[0]?.attributes.get('action')).toMatch(/^\//);
        // Searching changes nothing, and its address can be kept.
        if (tags[0]?.attributes.get('method') === 'get') continue;
        expect(tags[0]?.attributes.get('method')).toBe('post');
        expect(field(form, 'csrf')?.attributes.get('value')).toBe('csrf-token-of-the-sample');
        const buttons = named(tags, 'button').filter(
          (tag) => tag.attributes.get('type') === 'submit' && !tag.attributes.get('class')?.includes('icon-button'),
        );
        expect(buttons).toHaveLength(1);
      }
    });

    it('AUT-03 lets password managers work: types and autocomplete', async () => {
      for (const tag of named(tagsOf(await draw(sample)), 'input')) {
        const [type, autocomplete] = [tag.attributes.get('type'), tag.attributes.get('autocomplete')];
        if (type === 'password') expect(autocomplete).toMatch(/^(current|new)-password$/);
        if (tag.attributes.get('inputmode') === 'numeric') expect(autocomplete).toBe('one-time-code');
        expect(tag.attributes.has('onpaste')).toBe(false);
        if (tag.attributes.get('name') === 'password') expect(type).toBe('password');
      }
    });

    it('marks the refused field, ties it to the sentence, and never shows a password again', async () => {
      const html = await draw(sample);
      const problem =
        'problem' in sample.locals
          ? sample.locals.problem
          : 'password' in sample.locals
            ? sample.locals.password.problem
            : null;
      expect(html.match(/role="alert"/g) ?? []).toHaveLength(problem ? 1 : 0);
      if (problem?.field) {
        const marked = tagsOf(html).filter((tag) => tag.attributes.get('aria-invalid') === 'true');
        expect(valuesOf(marked, 'name')).toEqual([problem.field]);
        expect(marked[0]?.attributes.get('aria-describedby')?.split(' ')).toContain('problem');
      }
      for (const tag of named(tagsOf(html), 'input')) {
        if (tag.attributes.get('type') === 'password') expect(tag.attributes.has('value')).toBe(false);
      }
      expect(html.match(/ autofocus/g)?.length ?? 0).toBeLessThanOrEqual(1);
    });
  },
);

describe('AUT-03 the fields that test clients and password managers know', () => {
  const expected: [view: string, variant: string, field: string, autocomplete: string][] = [
    ['interaction/identify', 'first', 'username', 'username'],
    ['interaction/identify', 'first', 'company', 'organization'],
    ['interaction/password', 'first', 'password', 'current-password'],
    ['interaction/set-password', 'first', 'password', 'new-password'],
    ['interaction/code', 'first', 'code', 'one-time-code'],
    ['interaction/code', 'recovery', 'code', 'off'],
    ['interaction/enrol', 'first', 'code', 'one-time-code'],
    ['public/link-password', 'invitation', 'password', 'new-password'],
    ['public/forgot-password', 'first', 'username', 'username'],
    ['public/forgot-password', 'first', 'company', 'organization'],
    ['public/forgot-company', 'first', 'email', 'email'],
    ['home/security', 'first', 'currentPassword', 'current-password'],
    ['home/security', 'first', 'password', 'new-password'],
    ['home/confirm', 'danger', 'password', 'current-password'],
    ['home/confirm', 'danger', 'code', 'one-time-code'],
  ];

  it.each(expected)('%s (%s): %s is %s', async (view, variant, name, autocomplete) => {
    expect(field(await draw(sampleOf(view, variant)), name)?.attributes.get('autocomplete')).toBe(autocomplete);
  });

  it.each([
    ['interaction/password', 'first', 'ada.root'],
    ['public/link-password', 'invitation', 'ben.user'],
    ['home/security', 'first', 'ada.root'],
  ])('%s (%s) tells the username to password managers without sending it', async (view, variant, username) => {
    const hint = named(tagsOf(await draw(sampleOf(view, variant))), 'input').find(
      (tag) => tag.attributes.get('autocomplete') === 'username',
    );
    expect(hint?.attributes.get('value')).toBe(username);
    expect(hint?.attributes.has('name')).toBe(false);
  });
});

describe('words of the source documents', () => {
  it.each([
    ['interaction/identify', 'first', ['Username', 'Company Name', 'Next', "Can't log in?", 'to continue to']],
    ['interaction/password', 'first', ['Password', 'Log In', 'Not you?']],
    ['interaction/code', 'first', ['Verify', 'Use a recovery code instead']],
    ['interaction/enrol', 'first', ['Your Security Matters', 'JBSW', 'Verify']],
    ['public/link-password', 'invitation', ['Set', 'Contoso Ltd', 'ben.user']],
    ['public/link-done', 'first', ['Back to Login']],
    ['home/index', 'admin', ['My Modules', 'App Launcher', 'My Settings']],
    ['home/profile', 'first', ['Company Login URL', 'https://login.example.com/login/contoso-ltd']],
  ])('%s (%s) says %j (B.1)', async (view, variant, words) => {
    // Escapes are undone, tags dropped: what a person reads.
    const text = (await draw(sampleOf(view, variant))).replace(/&#(\d+);/g, (_all, code) =>
      String.fromCharCode(Number(code)),
    );
    for (const word of words) expect(text).toContain(word);
  });

  it('A1.9 a Co-Managed User sees My Modules only, and the fixed support text', async () => {
    const sections = sampleOf('home/index', 'admin').locals;
    const shell = { ...('shell' in sections ? sections.shell : null), showSections: false };
    const html = await draw({ ...sampleOf('home/index', 'admin'), locals: { ...sections, shell } as Sample['locals'] });
    expect(html).not.toContain('Billing and subscriptions');
    expect(await draw(sampleOf('home/support', 'fixed'))).toContain(
      'Need help? If you have any issues with using KaseyaOne please contact your administrator.',
    );
  });

  it('offers one way only where there is one', async () => {
    expect(field(await draw(sampleOf('interaction/identify', 'company-url')), 'company')).toBeUndefined();
    expect(await draw(sampleOf('interaction/code', 'refused'))).not.toContain('value="recovery"');
    expect(await draw(sampleOf('interaction/code', 'recovery'))).toContain('name="method" value="totp"');
    expect(await draw(sampleOf('home/sessions', 'single'))).not.toContain('/settings/sessions/end-others');
  });
});

const templates = readdirSync(join(root, 'views'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ejs'))
  .map((file) => ({ file, source: readFileSync(join(root, 'views', file), 'utf8') }));

describe('templates', () => {
  it('have a sample each, and no sample is without template', () => {
    const drawn = new Set(samples.map((sample) => `${sample.view}.ejs`));
    const onDisk = templates
      .map(({ file }) => file)
      .filter((file) => /^(interaction|public|home|admin|errors|dev)\//.test(file));
    expect([...drawn].sort()).toEqual(onDisk.sort());
  });

  it('WEB-08 print unescaped only what is a template itself: `<%-` before include( and for the body in layouts', () => {
    for (const { file, source } of templates) {
      for (const [, inside = ''] of source.matchAll(/<%-([\s\S]*?)%>/g)) {
        const isBody = file.startsWith('layouts/') && inside.trim() === 'it.body';
        expect(isBody || /^\s*include\('/.test(inside), `${file}: ${inside}`).toBe(true);
      }
      expect(source, `${file}: attributes are quoted`).not.toMatch(/=<%[=-]/);
    }
  });

  it('hold no logic beyond if and for', () => {
    for (const { file, source } of templates) {
      for (const [, inside = ''] of source.matchAll(/<%([^=\-#%][\s\S]*?)-?%>/g)) {
        expect(inside.trim(), file).toMatch(/^((\} )?(else )?(if|for) ?\([\s\S]*\) \{|\} else \{|\}|if \([\s\S]*|\})/);
        expect(inside, file).not.toMatch(/\b(const|let|var|function)\b(?! \w+ of )/);
      }
    }
  });

  it('use each icon of the sprite, and no other', () => {
    const used = new Set([
      ...templates.flatMap(({ source }) => [...source.matchAll(/icon: '([a-z0-9-]+)'/g)].map((match) => match[1])),
      // Those that handlers name: the console's places, and which way a list is sorted.
      ...consolePlaces.map(({ icon }) => icon),
      'arrow-up',
      'arrow-down',
    ]);
    expect([...used].sort()).toEqual([...iconNames].sort());
  });

  it('refuse a missing value instead of printing it', () => {
    expect(() => escapeHtml(undefined)).toThrow(TypeError);
    expect(() => escapeHtml(null)).toThrow(TypeError);
    expect(escapeHtml(`<a href="x" title='y'>&\``)).toBe('&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;&#96;');
  });
});

describe('colours (WCAG 2.2 AA, light and dark)', () => {
  const css = readFileSync(join(root, 'assets/css/tokens.css'), 'utf8');
  const colours = new Map(
    [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
      ([, name = '', light = '', dark = '']) => [name, { light, dark }],
    ),
  );
  const luminance = (hex: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, other: string) => {
    const [dim = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dim + 0.05);
  };
  const pairs: [front: string, back: string, atLeast: number][] = [
    ...['ink', 'ink-soft', 'accent-text'].flatMap((front) =>
      ['ground', 'surface', 'sunk'].map((back): [string, string, number] => [front, back, 4.5]),
    ),
    ['accent-text', 'accent-soft', 4.5],
    ['ink', 'accent-soft', 4.5],
    ['accent-ink', 'accent', 4.5],
    ['accent-ink', 'accent-strong', 4.5],
    ['danger-ink', 'danger', 4.5],
    ['danger-ink', 'danger-strong', 4.5],
    ['danger-text', 'danger-soft', 4.5],
    ['danger-text', 'surface', 4.5],
    ['ink-soft', 'danger-soft', 4.5],
    ['good-text', 'good-soft', 4.5],
    ['good-text', 'surface', 3],
    ['wait-text', 'surface', 3],
    ['field-line', 'surface', 3],
    ['field-line', 'ground', 3],
  ];

  it.each(pairs)('%s on %s has at least %d:1', (front, back, atLeast) => {
    for (const scheme of ['light', 'dark'] as const) {
      const [one, other] = [colours.get(front)?.[scheme] ?? '', colours.get(back)?.[scheme] ?? ''];
      expect(contrast(one, other), scheme).toBeGreaterThanOrEqual(atLeast);
    }
  });
});
