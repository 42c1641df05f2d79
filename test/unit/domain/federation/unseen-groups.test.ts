import { describe, expect, it } from 'vitest';
import { nearest } from '../../../../src/domain/federation/unseen-groups.ts';

describe('what a group was meant to be', () => {
  it.each([
    ['Slaes', ['Everyone', 'IT', 'Sales'], 'Sales'],
    ['sales', ['Sales'], 'Sales'],
    ['Sale', ['Sales', 'Salt'], 'Sales'],
    ['Administrators', ['Administrator', 'Admins'], 'Administrator'],
    ['it', ['IT'], 'IT'],
    // Two letters can be anything.
    ['HR', ['IT', 'PR'], null],
    ['Marketing', ['Sales', 'Everyone'], null],
    ['Sales', ['Sales'], null],
    ['', ['a'], null],
  ])('%j beside %j: %j', (name, known, near) => {
    expect(nearest(name, known)).toBe(near);
  });
});
