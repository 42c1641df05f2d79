import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createAssets } from '../../../src/web/assets.ts';
import { keepUsed, wordsOf } from '../../../src/web/css-subset.ts';

const words = wordsOf(['<p class="btn btn-primary <% if (x) { %>wide<% } %>">', "element.className = 'dialog'"]);

describe('keepUsed', () => {
  it.each([
    ['p{a:b}', 'p{a:b}'],
    ['.btn{a:b}.card{a:b}', '.btn{a:b}'],
    ['.btn,.card,.wide>a:hover{a:b}', '.btn,.wide>a:hover{a:b}'],
    ['.btn.card{a:b}', ''],
    ['.btn:not(.card){a:b}', '.btn:not(.card){a:b}'],
    [':is(.card,.btn) p{a:b}', ':is(.card,.btn) p{a:b}'],
    ['[data-x=".card"]{a:b}', '[data-x=".card"]{a:b}'],
    ['.dialog::before{content:"}.card{"}.card{a:b}', '.dialog::before{content:"}.card{"}'],
    ['.btn{background:url(data:a;b{c})}.card{a:b}', '.btn{background:url(data:a;b{c})}'],
    ['@media (min-width:1px){.btn{a:b}.card{a:b}}', '@media (min-width:1px){.btn{a:b}}'],
    ['@media (min-width:1px){.card{a:b}}', ''],
    ['@keyframes card{from{a:b}to{a:c}}.card{a:b}', '@keyframes card{from{a:b}to{a:c}}'],
    ['@property --x{syntax:"*"}', '@property --x{syntax:"*"}'],
    ['@layer a,b;.card{a:b}', '@layer a,b;'],
  ])('%s becomes %s', (css, expected) => {
    expect(keepUsed(css, words)).toBe(expected);
  });

  it('makes a small sheet of the large one, and keeps what pages need', async () => {
    const root = join(import.meta.dirname, '../../..');
    const assets = createAssets(root);
    const css = (await assets.serve(assets.url('css/tabler.css')))?.body?.toString() ?? '';
    expect(brotliCompressSync(css).length).toBeLessThan(20_000);
    expect(css).toContain('Licensed under MIT');
    for (const rule of ['.form-control{', '.form-select{', '.btn{', '.visually-hidden', ':root{'])
      expect(css).toContain(rule);
    expect(css).not.toMatch(/\.carousel|\.accordion/);
    const whole = readFileSync(join(root, 'node_modules/@tabler/core/dist/css/tabler.min.css'), 'utf8');
    expect(keepUsed(whole, new Set(wordsOf([whole]))).length).toBeGreaterThan(whole.length * 0.98);
  });
});
