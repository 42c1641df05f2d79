// What the product sets out to reach, as ratios to the baseline in the same run; printed beside the numbers, never asserted.

export interface Goal {
  /** At least so many times the baseline's operations a second. */
  throughput?: number;
  /** At most so many times the baseline's CPU time an operation. */
  cpu?: number;
  /** At most so many times the baseline's p99 under load. */
  p99?: number;
  /** At most so many times the baseline's median with one user alone. */
  alone?: number;
  /** At most so many SQL statements an operation. */
  statements?: number;
}

export const goals: Record<string, Goal> = {
  discovery: { throughput: 4 },
  jwks: { throughput: 2.5 },
  cc: { throughput: 1.4, statements: 1 },
  refresh: { throughput: 2, cpu: 0.6, statements: 3 },
  userinfo: { throughput: 2.4, statements: 1 },
  introspection: { throughput: 2, statements: 1 },
  sso: { throughput: 2, cpu: 0.6, p99: 0.65, alone: 0.7, statements: 5 },
  login: { throughput: 0.95, statements: 10 },
  'userinfo-while-login': { p99: 1.2 },
};

export const coldStartGoalMs = 1000;
export const idleMemoryGoalMb = 130;
export const peakMemoryGoalMb = 220;
export const loginBesideHashGoalMs = 8;
export const userinfoWhileLoginP99GoalMs = 50;

/** Pages of the console for 200,000 people, as a multiple of the same pages for 1,000. */
export const scaleGoal = 3;

/** Rows a second that an import from CSV does at least, with the mails queued, in a company of 200,000 people. */
export const importGoalRows = 400;

/** Seconds until the last session of 10,000 people who are deactivated by one act is dead. */
export const sessionsDeadGoal = 60;
/** Suspensions a second, as a part of what the module can take on as many connections. */
export const deliveryShareGoal = 0.5;
/** Memory that the server takes more than before, at its peak. */
export const deprovisionMemoryGoalMb = 120;
