import fc from 'fast-check';

// A property is tried for this long, and not made smaller once it has failed: a mutant is caught by the first tries.
fc.configureGlobal({ interruptAfterTimeLimit: 150, endOnFailure: true });
