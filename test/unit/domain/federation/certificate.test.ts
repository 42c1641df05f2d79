import { describe, expect, it } from 'vitest';
import { readCertificates } from '../../../../src/domain/federation/certificate.ts';

describe('certificates that are pasted', () => {
  it('DOS-03 frames that never end are refused at once', () => {
    const began = performance.now();
    expect(readCertificates('-----BEGIN CERTIFICATE-----'.repeat(10_000))).toBeNull();
    expect(performance.now() - began).toBeLessThan(200);
  });
});
