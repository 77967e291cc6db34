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

  it('takes back no more than a client has', () => {
    const budget = new SharedBudget(100);
    budget.take('a', 30);
    budget.take('b', 10);
    budget.give('a', 20);
    const TOO_MUCH = 'a client gives back no more than it has taken';
    expect(() => budget.give('a', 11)).toThrow(TOO_MUCH);
    expect(() => budget.give('c', 1)).toThrow(TOO_MUCH);
    expect(budget.held).toBe(20);
  });

  it('remembers no client that holds nothing', () => {
    const budget = new SharedBudget(100);
    budget.take('a', 30);
    budget.give('a', 29);
    expect([...budget['heldBy']]).toEqual([['a', 1]]);
    budget.give('a', 1);
    expect([...budget['heldBy']]).toEqual([]);
  });
});
