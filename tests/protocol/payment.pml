/* One payment as it is built: what ingest tells, the cashier, and the provider.  MONEY.md says what it should be.
 *
 * Everything in the books survives a kill; what the cashier knows (`doing`) does not.  A request that was posted may arrive
 * at any time until it is 20 hours old, or never; its answer may be lost; only then may the provider forget its key.
 * A provider that has forgotten a key takes the money again: nobody but us prevents that here.
 *
 * Mutant and probe are read from the environment: sizes.h.  -DREPLAY: only what a log says; log.h.
 */
#ifdef REPLAY
#include "payment_replay.h"
#else
#include "payment_search.h"
#endif

/* What one may leave out, and must not: README.md. */
#define REPOST_CAPTURE 1
#define CAPTURE_BEFORE_CLOSING 2
#define RELEASE_AFTER_CAPTURE 3
#define NOT_WRITTEN_DOWN 4
#define CAPTURE_AFTER_RELEASE 5
#define CAPTURE_ALL_HELD 6
#define HOLD_KEPT 7
#define NEW_KEY_AFTER_UNKNOWN 8
#define REPOST_HOLD 9

#define NONE 0
/* What comes of a call or a look-up. */
#define SEEN 1
#define LOST 2
#define REFUSED 3
#define MISSING 4
/* What the provider is asked. */
#define AUTHORISE 1
#define CAPTURE 2
#define CANCEL 3
/* How an intent stands there. */
#define HELD 1
#define DECLINED 2
#define CAPTURED 3
#define CANCELED 4
#define LAPSED 5 /* by the provider; it says "canceled" */
#define SHOWN(status_) (status_ == LAPSED -> CANCELED : status_)
/* What the cashier is at, in memory. */
#define IDLE 0
#define ASKING 1    /* written down, not posted yet */
#define WAITING 2   /* posted */
#define LOOKING 3   /* a look-up is under way */

typedef Intent {
    byte key, status;
    AMOUNT amount, captured;
}
/* The books. */
bit asked, opened, abandoned, closed, priced, review, stuck;
AMOUNT hold, held, charged, captured;
byte nth, intent, tries; /* nth: authorisations begun, and the newest one's key */
byte op, call_intent;    /* the call that is written down and not answered yet; NONE: there is none */
AMOUNT call_amount;
bit refused;
/* Time, as far as it matters. */
bit late, lapsing, old; /* 15 min since it was asked for; 6 1/2 days since it was held; 20 h since the call began */
/* Chosen at the start, so that a rest is seen with and without. */
bit may_lapse, closes, decides; /* the provider ends holds by itself; the visit is closed; a person decides */
bit alarmed;
/* The cashier. */
byte doing;
/* On the way, and at the provider. */
bit flying[REQUESTS], known[REQUESTS]; /* by key; known: the provider remembers it */
byte known_intent[REQUESTS];
Intent intents[INTENTS];
byte intents_made;
bit was_captured[INTENTS];
byte i, r, found; /* scratch; zero between steps */
AMOUNT sum;

#define FORGET_SCRATCH i = 0; r = 0; found = 0; sum = 0
#define REQUEST ((nth - 1) * 3 + op - 1)
#define REST (charged - captured)
#define UNASKED (hold > 0 && nth == 0 && !opened && !closed && !abandoned)
#define TIRED (tries > MOST_TRIES)

/* payments._wanted */
#define WANTS_HOLD (held == 0 && !closed && UNASKED && !late)
#define WANTS_REST (held == 0 && closed && REST > 0 && !review && !TIRED)
#define WANTS_CAPTURE \
    (held > 0 && ((closed && !review && REST > 0) || (MUTANT(CAPTURE_BEFORE_CLOSING) && opened && !closed)))
#define WANTS_RELEASE \
    (held > 0 && ((!closed && !MUTANT(HOLD_KEPT) && (lapsing || ((abandoned || late) && !opened))) || \
                  (closed && (review -> lapsing : REST == 0))))
#define LESS(a, b) (a < b -> a : b)
#define TO_CAPTURE (MUTANT(CAPTURE_ALL_HELD) || !closed -> held : LESS(REST, held))
#define POSTS_BLINDLY ((MUTANT(REPOST_CAPTURE) && op == CAPTURE) || (MUTANT(REPOST_HOLD) && op == AUTHORISE))
#define MAY_LOOK (!POSTS_BLINDLY && !MUTANT(NEW_KEY_AFTER_UNKNOWN))
#define FREE (doing == IDLE && op == NONE && !stuck)

inline begin(op_) { /* in one transaction, before anything is posted */
    op = op_;
    if :: op_ == AUTHORISE -> nth++; call_intent = NONE :: else -> call_intent = intent fi;
    refused = 0; old = 0;
    doing = ASKING
}
inline forget_call() { op = NONE; call_intent = NONE; call_amount = 0; refused = 0; old = 0 }
inline ended() { /* its key is never used again, and what still flies of it finds it remembered: that changes nothing */
    flying[REQUEST] = 0; known[REQUEST] = 0; known_intent[REQUEST] = 0;
    if :: held == 0 -> lapsing = 0 :: else fi;
    forget_call()
}
inline not_done() {
    if
    :: refused -> stuck = 1; doing = IDLE
    :: !refused && old && op == AUTHORISE && REST <= 0 -> ended(); doing = IDLE
    :: !refused && old && !(op == AUTHORISE && REST <= 0) -> stuck = 1; doing = IDLE /* it may have forgotten the key: a person */
    :: else -> doing = ASKING /* the same again, under the same key */
    fi
}
inline seen(n) { /* its answer, or what a look-up found */
    if
    :: op == AUTHORISE && intents[n].status == HELD ->
        intent = n; held = intents[n].amount; lapsing = 0;
        if :: closed && held < LESS(call_amount, REST) && tries == 0 -> tries = 1 :: else fi;
        ended(); doing = IDLE
    :: op == AUTHORISE && intents[n].status != HELD && intents[n].status != CAPTURED ->
        intent = n; tries++; ended(); doing = IDLE
    :: op != AUTHORISE && intents[n].status == HELD -> not_done()
    :: op == CAPTURE && intents[n].status == CAPTURED && intents[n].captured == call_amount ->
        captured = captured + call_amount;
        if :: !MUTANT(RELEASE_AFTER_CAPTURE) -> held = 0 :: else fi;
        if :: REST <= 0 -> tries = 0 :: REST > 0 && tries > 0 -> tries++ :: else fi;
        ended(); doing = IDLE
    :: op != AUTHORISE && (intents[n].status == CANCELED || intents[n].status == LAPSED) ->
        if :: !(MUTANT(CAPTURE_AFTER_RELEASE) && op == CANCEL) -> held = 0 :: else fi;
        if :: op == CAPTURE -> tries++ :: else fi;
        ended(); doing = IDLE
    :: else -> stuck = 1; doing = IDLE
    fi
}
inline find_intent() { /* by the intent where we know it, else by the key: the oldest */
    found = call_intent;
    for (i : 1 .. intents_made) {
        if :: found == NONE && intents[i].key == nth -> found = i :: else fi
    }
}

proctype Ingest() {
end_idle:
    do
    :: atomic {
    if
    :: STEP1(Asked, AMOUNT_OF(1, HOLD)) && IF_NEW(!asked && !closed) -> /* an ask after the closing, or again, changes nothing */
       if :: !asked && !closed -> asked = 1; hold = AMOUNT_OF(1, HOLD) :: else fi
    :: STEP1(Abandoned, 0) && IF_NEW(asked && !abandoned && !opened && !closed) ->
       if :: !opened && !closed -> abandoned = 1 :: else fi
    :: STEP1(Opened, 0) && IF_NEW(!opened) -> opened = 1
    CHARGES(CLOSED)
    :: STEP1(Alarmed, 0) && IF_NEW(!alarmed && closed && REST > 0) -> review = 1; alarmed = 1
    PRICES(DECIDED)
    /* Time. */
    :: STEP1(Late, 0) && IF_NEW(asked && !late && !opened && !closed) -> late = 1
    :: STEP1(Lapsing, 0) && held > 0 && IF_NEW(!lapsing && (may_lapse || !closed || review)) -> lapsing = 1
    :: STEP1(Aged, 0) && op != NONE && !old && doing == IDLE && !stuck -> old = 1; flying[REQUEST] = 0;
       if :: IF_NEW(known[REQUEST]) -> known[REQUEST] = 0 :: true fi
    :: STEP2(Ended, LOG_OR(1, intent), 0) && may_lapse && lapsing && held > 0 && intents[intent].status == HELD ->
       intents[intent].status = LAPSED
    ONLY_IN_A_LOG(
    :: STEP6(Books, captured, held, stuck, closed, tries, nth) && LOG(7) == op -> skip
    )
    fi;
    FORGET_SCRATCH;
    NEXT
    }
    od
}

proctype Cashier() {
end_idle:
    do
    :: atomic {
    if
    :: STEP3(Begun, AUTHORISE, nth + 1, hold) && FREE && WANTS_HOLD -> call_amount = hold; begin(AUTHORISE)
    :: STEP3(Begun, AUTHORISE, nth + 1, REST) && FREE && WANTS_REST && nth < KEYS -> call_amount = REST; begin(AUTHORISE)
    :: STEP3(Begun, CAPTURE, nth, TO_CAPTURE) && FREE && WANTS_CAPTURE -> call_amount = TO_CAPTURE; begin(CAPTURE)
    :: STEP3(Begun, CANCEL, nth, 0) && FREE && WANTS_RELEASE && !WANTS_CAPTURE -> begin(CANCEL)
    :: STEP2(Posted, op, nth) && doing == ASKING -> flying[REQUEST] = 1; doing = WAITING
    :: STEP6(Answered, op, nth, SEEN, SHOWN(intents[ANSWER].status), intents[ANSWER].amount, intents[ANSWER].captured) &&
           doing == WAITING && known[REQUEST] ->
       seen(ANSWER)
    :: STEP3(Answered, op, nth, LOST) && doing == WAITING -> doing = IDLE
    :: STEP3(Answered, op, nth, REFUSED) && doing == WAITING && op != AUTHORISE && !known[REQUEST] &&
           intents[call_intent].status != HELD ->
       refused = 1; flying[REQUEST] = 0; doing = IDLE
    /* A call without an answer: of a lost one, of whoever was killed, or of whoever had used up its turns. */
    :: STEP2(Looks, op, nth) && (doing == IDLE || doing == ASKING) && op != NONE && !stuck && IF_NEW(MAY_LOOK) ->
       doing = LOOKING
    :: STEP3(Answered, op, nth, LOST) && doing == LOOKING -> doing = IDLE
    :: STEP3(Answered, op, nth, LOG_OR(3, SEEN)) && LOG_OR(3, SEEN) != LOST && doing == LOOKING ->
       find_intent();
       if
       :: found == NONE -> ONLY_IF(LOG(3) == MISSING); not_done()
       :: else ->
           ONLY_IF(LOG(3) == SEEN && LOG(4) == SHOWN(intents[found].status) && LOG(6) == intents[found].captured);
           seen(found)
       fi
    IN_THE_SEARCH(
    :: POSTS_BLINDLY && doing == IDLE && op != NONE && !stuck -> doing = ASKING
    :: MUTANT(NEW_KEY_AFTER_UNKNOWN) && doing == IDLE && op != NONE && !stuck && nth < KEYS ->
       if :: op == AUTHORISE -> nth++ :: else fi;
       doing = ASKING
    )
    ONLY_IN_A_LOG(:: STEP2(Again, op, nth) && doing == ASKING -> skip )
    :: STEP1(Killed, 0) && IF_NEW(doing != IDLE) -> doing = IDLE;
       if
       :: MUTANT(NOT_WRITTEN_DOWN) && op != NONE -> nth = (op == AUTHORISE -> nth - 1 : nth); forget_call()
       :: else
       fi
    fi;
    FORGET_SCRATCH;
    NEXT
    }
    od
}

inline arrive(key_, op_) { /* the work, once while the key is remembered */
    if
    :: op_ == AUTHORISE ->
        intents_made++;
        intents[intents_made].key = key_;
        GRANT(intents_made);
        found = intents_made
    :: op_ == CAPTURE ->
        found = call_intent;
        assert(!was_captured[found]); /* captured once */
        assert(intents[found].status != CANCELED); /* not after it was released */
        assert(closed); /* not before the closing is stored */
        intents[found].status = CAPTURED; intents[found].captured = call_amount; was_captured[found] = 1;
        for (i : 1 .. intents_made) { sum = sum + intents[i].captured }
        assert(sum <= charged); /* never more than was charged */
    :: op_ == CANCEL ->
        found = call_intent;
        assert(!was_captured[found]); /* what was captured is not released */
        intents[found].status = CANCELED
    fi;
    r = (key_ - 1) * 3 + op_ - 1;
    known[r] = 1; known_intent[r] = found
}

proctype Provider() { /* requests of calls that are answered already change nothing: their keys are remembered */
end_idle:
    do
    :: atomic {
       STEP6(Done, op, nth, LOG_OR(3, 0), LOG_OR(4, 0), LOG_OR(5, 0), LOG_OR(6, 0)) && op != NONE && flying[REQUEST] &&
           !known[REQUEST] && (op == AUTHORISE || intents[call_intent].status == HELD || FORGETFUL) ->
       arrive(nth, op);
       ONLY_IF(LOG(3) == found && LOG(4) == intents[found].status && LOG(5) == intents[found].amount &&
               LOG(6) == intents[found].captured);
       FORGET_SCRATCH;
       NEXT
    }
    od
}

proctype Rest() {
    atomic {
        timeout ->
        for (i : 1 .. intents_made) {
            sum = sum + intents[i].captured;
            assert(intents[i].status != HELD || stuck) /* no hold is left */
        }
        assert(stuck || op == NONE);
        assert(stuck || sum == captured); /* the books say what the provider did */
        assert(stuck || !closed || review || TIRED || captured == charged || nth == KEYS); /* what is due is captured */
        assert(!PROBE(1) || !(closed && charged > hold && hold > 0 && captured == charged)); /* are there such lives? */
        assert(!PROBE(2) || !stuck);
        assert(!PROBE(3) || !(closed && TIRED && charged > captured));
        assert(!PROBE(4) || !(!closed && intents[1].status == CANCELED));
        assert(!PROBE(5) || !(review && intents[1].status == CANCELED))
    }
}

init {
    atomic {
        CHOICES;
        run Ingest();
        run Cashier();
        run Provider();
        START_CHECKS
    }
}
