import { describe, expect, it } from 'vitest';
import { SharedBudget } from './shared-budget.js';

describe('SharedBudget', () => {
  it('gives one client half at most, and others of what is left', () => {
    const budget = new SharedBudget(100);
    expect(budget.take('a', 51)).toBe(false);
    expect(budget.take('a', 50)).toBe(true);
    expect(budget.take('a', 1)).toBe(false);
    expect(budget.take('b', 25)).toBe(true);
    expect(budget.take('b', 1)).toBe(false);
    expect(budget.take('c', 12)).toBe(true);
    expect(budget.held).toBe(87);
  });

  it('has all again when all was given back', () => {
    const budget = new SharedBudget(100);
    budget.take('a', 30);
    budget.take('a', 20);
    budget.give('a', 20);
    expect(budget.take('a', 20)).toBe(true);
    budget.give('a', 50);
    expect(budget.held).toBe(0);
    expect(budget.take('a', 50)).toBe(true);
  });
});
