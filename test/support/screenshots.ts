// Draws every sample of every view at 360 and 1280 pixels, light and dark, for the eye: npx node test/support/screenshots.ts <outdir> [part of a name]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launchBrowser, sampleName, startSampleServer } from './sample-server.ts';
import { samples } from './view-samples.ts';

const [outdir, part = ''] = process.argv.slice(2);
if (!outdir) throw new Error('usage: screenshots.ts <outdir> [part of a name]');
const wanted = samples.filter((sample) => sampleName(sample).includes(part));

await mkdir(outdir, { recursive: true });
const server = await startSampleServer();
const browser = await launchBrowser();
try {
  const tab = await browser.newPage();
  tab.on('console', (message) => {
    if (message.type() === 'error') process.stdout.write(`${tab.url()}: ${message.text()}\n`);
  });
  for (const width of [360, 1280]) {
    await tab.setViewportSize({ width, height: width === 360 ? 740 : 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme });
      for (const sample of wanted) {
        const name = sampleName(sample);
        await tab.goto(`${server.address}/${name}`, { waitUntil: 'load' });
        await tab.evaluate('document.fonts.ready');
        const overflow = Number(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'));
        if (overflow > 0) process.stdout.write(`${name} is ${overflow} px too wide at ${width}\n`);
        await tab.screenshot({ path: join(outdir, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
} finally {
  await browser.close();
  server.close();
}
process.stdout.write(`${wanted.length * 4} pictures in ${outdir}\n`);
