import type { FastifyReply } from 'fastify';
import type { Config } from '../config/config.js';
import { ClientAddresses } from '../http/connections/client-address.js';
import { Turns } from '../http/turns.js';
import { AnswerBudget } from './answer-budget.js';
import { AnswerRoom } from './answer-room.js';

/** Gives each answer its room in the budget of this process, counted to the client that asked. */
export class Answers {
  readonly budget: AnswerBudget;
  readonly addresses: ClientAddresses;
  readonly turns = new Turns();

  constructor({ limits, http }: Config) {
    this.budget = new AnswerBudget(limits.maxAnswersBytes);
    this.addresses = new ClientAddresses(http.trustedProxies);
  }

  /** The room of the answer to one request. It costs nothing until something large is asked for. */
  room(reply: FastifyReply): AnswerRoom {
    return new AnswerRoom(this.budget, this.turns, this.addresses, reply.raw);
  }
}
