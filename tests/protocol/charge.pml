/* The charge protocol as it is built: cabinet (ledger and sender), wire, cloud.  README.md says why it looks like this.
 *
 * A "row" is one event under one hash: rows are numbered as they are made, so the number stands for the hash.  An event
 * that moves to another store is chained anew and becomes another row.  The wire is the set of everything ever said: a
 * message may arrive at any time, again, later than others, or never.  The broker forgets and remembers as it likes.
 *
 * Sizes and mutant are read from the environment when the search begins (search.h): one checker serves them all.
 * -DCABINETS=2: an old copy of the card may run in a second cabinet; it costs states even where it never does.
 * -DREPLAY: the model may only do what a log says, step by step; replay.h.
 */
#ifndef CABINETS
#define CABINETS 1
#endif

/* What one may leave out, and must not: README.md. */
#define TRUST_PUBACK 1
#define ACK_BEFORE_COMMIT 2
#define DELETE_WHEN_FULL 3
#define NO_HASH_IN_ACK 4
#define UNLOCK_FIRST 5
#define SECOND_CLOSING 6
#define DEDUPE_BY_SEQ 7
#define MARK_IGNORED 8
#define REUSED_VISIT 9
#define REOPEN_PREFIX_ONLY 10

#ifdef REPLAY
#include "replay.h"
#else
#include "search.h"
#endif

#define WINDOW 16
#define NONE 0
#define SILENT 255 /* no welcome has been given to this hello */

/* What an event tells. */
#define OPENING 1
#define CLOSING 2
#define INCIDENT 3

/* How far a row has come.  Never backwards, but for a cloud restored from a copy. */
#define KEPT 0   /* in a ledger, never said */
#define SAID 1   /* on the wire: may arrive at any time */
#define STORED 2 /* committed by the cloud */
#define MARKED 3 /* the cloud's mark has been here: an ack or welcome naming this row may arrive at any time */

typedef Row {
    byte store, seq, prev; /* prev: the row before; NONE before the first of a store */
    byte kind, visit;
    byte sale;  /* the true sale, for the checks only */
    byte total; /* 1: tallied, 2: worked out after a restart, possibly another amount */
    byte fate;
    bit gone;      /* rolled away with the card that held it */
    bit was_stored, was_marked; /* before the cloud was restored: such acks may still be under way */
}
typedef Ledger { /* on the card */
    byte store, head, upto; /* upto: everything up to here is freed */
    byte row[SEQS];         /* seq -> row */
    bit freed[SEQS];
    byte visit;    /* opened and not closed, or NONE */
    byte last;     /* the visit closed last */
    byte split_at; /* seq of the incident that tells of a split, until it is stored: nothing is sold meanwhile */
    byte visits;   /* how many were opened in this ledger */
}
typedef Sender { /* in memory */
    bit welcomed;
    bit asked;       /* a hello's nonce waits for its welcome */
    byte answer;     /* the mark in that welcome, or SILENT */
    byte freed_then; /* the highest row that was freed when that hello was said */
    bit doubt;       /* something does not add up: say hello again */
}

Row rows[ROWS];
byte rows_made, visits_made, stores_made = 1;
Ledger ledger[CABINETS];
Sender sender[CABINETS];
bit unlocked[CABINETS];
bit runs[CABINETS];
byte mark[STORES];                    /* cloud: the last row of the unbroken chain */
byte charges[SALES];             /* cloud: charges by true sale; 0 or 1 unless something is wrong */
byte charge_of[KEYS], total_of[KEYS]; /* cloud: by what charges are keyed: the sale that has it, and its amount */
bit review[KEYS];                     /* another closing said something else: a person looks */
byte power_cuts, rollbacks, clones, restores; /* mishaps that may still come: SIZES */
Ledger copy, blank; /* copy: of the card, as it once was */
bit copied;
bit at_rest;
byte kept_fate[ROWS], kept_mark[STORES], kept_charges[SALES], kept_charge_of[KEYS], kept_total_of[KEYS];
bit cloud_copied, cut_off; /* cut_off: every cabinet has to connect anew after a restore */
bit calm; /* and nothing old is on the wire from then on */
byte chosen, i, j, k, r; /* scratch of the step that is being taken; zero between steps */

#define FORGET_SCRATCH chosen = 0; i = 0; j = 0; k = 0; r = 0
#define L ledger[me]
#define S sender[me]
#define SELLS(me) (L.split_at == NONE)
#define IS_STORED(one) (rows[one].fate >= STORED || rows[one].was_stored)
#define IS_MARKED(one) (rows[one].fate == MARKED || rows[one].was_marked)

#define KEY(one) (MUTANT(DEDUPE_BY_SEQ) -> rows[one].seq : rows[one].visit)
#define NAMES_OURS(one) (MUTANT(NO_HASH_IN_ACK) || L.row[rows[one].seq] == one)
#define SINGLE_SAYABLE(one) (IS_STORED(one) || (MUTANT(ACK_BEFORE_COMMIT) && rows[one].fate >= SAID))
#define MAY_UNLOCK(me) (MUTANT(UNLOCK_FIRST) -> (SELLS(me) && visits_made < VISITS) : (L.visit != NONE))

/* ---- the cabinet's ledger ------------------------------------------------------------------------------------- */

inline add_row(the_kind, the_visit, the_sale, the_total) { /* chained to the newest, in the running transaction */
    rows_made++;
    rows[rows_made].store = L.store;
    rows[rows_made].seq = L.head + 1;
    rows[rows_made].prev = L.row[L.head]; /* row[0] is NONE */
    rows[rows_made].kind = the_kind;
    rows[rows_made].visit = the_visit;
    rows[rows_made].sale = the_sale;
    rows[rows_made].total = the_total;
    L.head++;
    L.row[L.head] = rows_made;
    L.freed[L.head] = 0
}
inline free(seq_) {
    assert(IS_STORED(L.row[seq_])); /* I3, I4, I7, I8: a row leaves only when the cloud has that very row */
    L.freed[seq_] = 1;
    if :: L.split_at == seq_ -> L.split_at = NONE :: else fi
}
inline find_upto() {
    do :: L.upto < L.head && L.freed[L.upto + 1] -> L.upto++ :: else -> break od
}
inline find_highest(highest) { /* single rows above a gap too */
    highest = L.upto;
    for (i : L.upto + 1 .. L.head) {
        if :: L.freed[i] && !MUTANT(REOPEN_PREFIX_ONLY) -> highest = i :: else fi
    }
}
inline free_upto(seq_) {
    for (i : 1 .. seq_) {
        if :: !L.freed[i] -> free(i) :: else fi
    }
    find_upto()
}
inline reopen(seq_) { /* the cloud has lost what it had acknowledged above */
    for (i : seq_ + 1 .. L.head) { L.freed[i] = 0 }
    if :: L.upto > seq_ -> L.upto = seq_ :: else fi
}
inline copy_ledger(to, from) {
    to.store = from.store; to.head = from.head; to.upto = from.upto;
    to.visit = from.visit; to.last = from.last; to.split_at = from.split_at; to.visits = from.visits;
    for (i : 1 .. SEQS - 1) {
        if
        :: i <= from.head -> to.row[i] = from.row[i]; to.freed[i] = from.freed[i]
        :: else -> to.row[i] = NONE; to.freed[i] = 0
        fi
    }
}
inline renew_store() { /* what waits moves in order and is chained anew; an incident tells of it */
    stores_made++;
    L.store = stores_made;
    k = L.head;
    L.head = 0; L.upto = 0;
    for (i : 1 .. k) {
        if
        :: !L.freed[i] ->
            r = L.row[i];
            add_row(rows[r].kind, rows[r].visit, rows[r].sale, rows[r].total)
        :: else
        fi
    }
    add_row(INCIDENT, NONE, NONE, 0);
    L.split_at = L.head;
    for (i : L.head + 1 .. SEQS - 1) { L.row[i] = NONE; L.freed[i] = 0 }
}
inline forget_memory() {
    S.welcomed = 0; S.asked = 0; S.answer = SILENT; S.freed_then = 0; S.doubt = 0
}
inline forget_closing() {
    if :: MUTANT(SECOND_CLOSING) && L.visit == NONE && L.last != NONE -> L.visit = L.last :: else fi
}
inline full_disk() {
    if :: MUTANT(DELETE_WHEN_FULL) && L.head - L.upto > 2 -> free(L.upto + 1); find_upto() :: else fi
}

/* ---- the cabinet hears a welcome ------------------------------------------------------------------------------- */

#define SEQ_OF(m) (m == NONE -> 0 : rows[m].seq)
#define ANOTHER_HISTORY(m) (!MUTANT(MARK_IGNORED) && (SEQ_OF(m) > L.head || L.row[SEQ_OF(m)] != m))

inline hear_welcome(m, fresh) {
    if
    :: ANOTHER_HISTORY(m) ->
        S.welcomed = 0;
        if
        :: L.split_at != NONE -> SHOW_OUTCOME(STUCK) /* once is a restored copy, twice is for a person */
        :: else -> SHOW_OUTCOME(SPLIT); renew_store(); forget_memory(); SHOW_ROWS
        fi
    :: else ->
        find_highest(k);
        if
        :: fresh && SEQ_OF(m) < S.freed_then -> SHOW_OUTCOME(REOPENED); reopen(SEQ_OF(m)); admit(m, fresh)
        :: !fresh && SEQ_OF(m) < k -> SHOW_OUTCOME(DOUBTED); S.doubt = 1
        :: else -> SHOW_OUTCOME(WELCOMED); admit(m, fresh)
        fi
    fi
}
inline admit(m, fresh) {
    assert(!fresh || L.row[SEQ_OF(m)] == m); /* I9: after a handshake both have one history, or a new store is made */
    CHECK_FREED(SEQ_OF(m), 5);
    if :: L.row[SEQ_OF(m)] == m -> free_upto(SEQ_OF(m)) :: else fi;
    if :: fresh -> S.asked = 0; S.answer = SILENT; S.freed_then = 0 :: else fi;
    S.welcomed = 1
}

/* ---- the cabinet ----------------------------------------------------------------------------------------------- */

#define OURS(one) (rows[one].store == L.store && rows[one].seq <= L.head)
/* In the search alone: a hello that brings nothing new is not said, or old welcomes would cause hellos for ever. */
#define HELLO_HELPS (SEQ_OF(mark[L.store]) != L.upto || L.row[L.upto] != mark[L.store])
#define MAY_DOUBT (!calm && !S.doubt && !S.asked && HELLO_HELPS)
#define OURS_THERE(one) (OURS(one) && L.row[rows[one].seq] == one)

/* Each of these is tried with every row (or seq); what follows is written once, at the label. */

/* A waiting row is said. */
#define SAY(seq_) \
    :: STEP2(Sent, me, L.row[seq_]) && seq_ <= L.head && S.welcomed && !L.freed[seq_] && \
           IF_NEW(rows[L.row[seq_]].fate == KEPT) -> chosen = seq_; goto said

/* An ack: everything up to the row that it names. */
#define HEAR_ACK(one) \
    :: STEP2(AckHeard, me, one) && one <= rows_made && IS_MARKED(one) && OURS(one) && NAMES_OURS(one) && \
           IF_NEW(L.upto < rows[one].seq) -> chosen = rows[one].seq; goto acknowledged

/* An ack with another hash than ours: something does not add up. */
#define HEAR_WRONG_ACK(one) \
    :: STEP2(AckHeard, me, one) && one <= rows_made && IS_MARKED(one) && OURS(one) && !NAMES_OURS(one) && \
           IF_NEW(MAY_DOUBT) -> FREES_NOTHING; S.doubt = 1;

/* The selective part of an ack: this row alone. */
#define HEAR_SINGLE(one) \
    :: STEP2(SingleHeard, me, one) && one <= rows_made && SINGLE_SAYABLE(one) && OURS(one) && \
           NAMES_OURS(one) && IF_NEW(!L.freed[rows[one].seq]) -> chosen = rows[one].seq; goto acknowledged_alone

/* A welcome without our nonce: late, replayed, or said by a cloud that has just come back. */
#define HEAR_STALE(one) \
    :: STEP3(WelcomeHeard, me, one, 0) && one <= rows_made && \
           (one == NONE || (IS_MARKED(one) && rows[one].store == L.store)) && \
           IF_NEW(!calm && ((ANOTHER_HISTORY(one) && L.split_at == NONE) || (!ANOTHER_HISTORY(one) && \
               ((SEQ_OF(one) >= L.upto && (!S.welcomed || SEQ_OF(one) > L.upto)) || \
                (SEQ_OF(one) < L.upto && MAY_DOUBT))))) -> chosen = one; goto welcomed_late

/* The broker says that it has the row.  It is no receipt. */
#define BELIEVE_PUBACK(seq_) \
    :: MUTANT(TRUST_PUBACK) && seq_ <= L.head && rows[L.row[seq_]].fate >= SAID && !L.freed[seq_] -> \
       chosen = seq_; goto acknowledged_alone

proctype Cabinet(byte me) {
end_asleep:
    runs[me];
end_idle:
    do
    :: atomic {
    if
    /* A shopper: the visit is durable with its opening event, then the lock is released, then the closing. */
    :: STEP6(Opened, me, rows_made + 1, L.store, L.head + 1, L.row[L.head], visits_made + 1) &&
           L.visit == NONE && SELLS(me) && visits_made < VISITS ->
       full_disk();
       visits_made++;
       L.visits++;
       L.visit = (MUTANT(REUSED_VISIT) -> L.visits : visits_made);
       L.last = visits_made;
       add_row(OPENING, L.visit, visits_made, 0)
    :: STEP2(Unlocked, me, L.visit) && MAY_UNLOCK(me) && !unlocked[me] ->
       unlocked[me] = 1;
       assert(L.visit != NONE) /* I1: no unlock before the opened visit is durable */
    :: STEP6(Closed, me, rows_made + 1, L.store, L.head + 1, L.row[L.head], L.visit) && L.visit != NONE ->
       full_disk();
       for (i : 1 .. L.head) { /* I2: one closing of a visit in a ledger */
           assert(!(rows[L.row[i]].kind == CLOSING && rows[L.row[i]].visit == L.visit))
       }
       add_row(CLOSING, L.visit, L.last, (unlocked[me] -> 1 : 2));
       L.visit = NONE; unlocked[me] = 0

    /* The conversation. */
    :: STEP4(Hello, me, L.store, L.row[L.head], L.upto) && IF_NEW((!S.welcomed && !S.asked) || S.doubt) ->
       S.asked = 1; S.answer = SILENT; S.doubt = 0;
       find_highest(S.freed_then)
    EACH_SEQ(SAY)
    IN_THE_SEARCH(EACH_SEQ(BELIEVE_PUBACK))
    ONLY_IN_A_LOG(:: STEP2(Puback, me, LOG(2)) && rows[LOG(2)].fate >= SAID )
    EACH_ROW(HEAR_ACK)
    EACH_ROW(HEAR_WRONG_ACK)
    EACH_ROW(HEAR_SINGLE)
    HEAR_STALE(NONE)
    EACH_ROW(HEAR_STALE)
    :: STEP3(WelcomeHeard, me, ANSWER, 1) && S.asked && S.answer != SILENT && ANSWERS(ANSWER) &&
           IF_NEW(!ANOTHER_HISTORY(ANSWER) || L.split_at == NONE) ->
       chosen = ANSWER; goto welcomed
    ONLY_IN_A_LOG(
    :: STEP2(AckHeard, me, LOG(2)) && rows[LOG(2)].seq > L.head && rows[LOG(2)].store == L.store -> FREES_NOTHING
    :: STEP2(SingleHeard, me, LOG(2)) && rows[LOG(2)].store == L.store && !OURS_THERE(LOG(2)) -> FREES_NOTHING
    :: STEP1(ForeignHeard, me) /* of another store: dropped */
    )

    /* Mishaps. */
    :: STEP1(PowerCut, me) && power_cuts > 0 ->
       power_cuts--; unlocked[me] = 0; forget_memory();
       forget_closing()
    :: STEP1(Offline, me) && power_cuts > 0 -> power_cuts--; forget_memory()
    :: STEP1(Copied, me) && me == 0 && !copied && rollbacks + clones > 0 ->
       copy_ledger(copy, ledger[0]); copied = 1
    :: STEP1(PutBack, me) && me == 0 && copied && rollbacks > 0 ->
       rollbacks--;
       for (i : 1 .. L.head) {
           if :: i > copy.head || copy.store != L.store || copy.row[i] != L.row[i] -> rows[L.row[i]].gone = 1 :: else fi
       }
       copy_ledger(ledger[0], copy); unlocked[0] = 0; forget_memory();
       if :: rollbacks + clones == 0 -> copy_ledger(copy, blank) :: else fi
    :: STEP1(Cloned, me) && me == 0 && copied && clones > 0 ->
       clones--;
       copy_ledger(ledger[CABINETS - 1], copy); runs[CABINETS - 1] = 1;
       copy_ledger(copy, blank)
    fi;
    goto taken;

    said:
        WITHIN_WINDOW(chosen);
        if :: rows[L.row[chosen]].fate == KEPT -> rows[L.row[chosen]].fate = SAID :: else fi;
        goto taken;
    acknowledged:
        CHECK_FREED(chosen, 3);
        free_upto(chosen);
        goto taken;
    acknowledged_alone:
        CHECK_FREED_ONE(chosen);
        if :: !L.freed[chosen] -> free(chosen); find_upto() :: else fi;
        goto taken;
    welcomed:
        hear_welcome(chosen, 1);
        goto taken;
    welcomed_late:
        hear_welcome(chosen, 0);
    taken:
        FORGET_SCRATCH;
        NEXT
    }
    od
}

/* ---- the cloud -------------------------------------------------------------------------------------------------- */

inline charge(row_) { /* keyed by visit; a second one changes nothing, and one that says something else is looked at */
    if
    :: rows[row_].kind != CLOSING
    :: else ->
        if
        :: total_of[KEY(row_)] == 0 ->
            charge_of[KEY(row_)] = rows[row_].sale;
            total_of[KEY(row_)] = rows[row_].total; /* I6: written nowhere else */
            charges[rows[row_].sale]++;
            assert(charges[rows[row_].sale] == 1) /* I5: one charge for one sale */
        :: else ->
            assert(charge_of[KEY(row_)] == rows[row_].sale); /* I5: the key never means another sale */
            if :: total_of[KEY(row_)] != rows[row_].total -> review[KEY(row_)] = 1 :: else fi
        fi
    fi
}
inline move_mark(the_store) { /* along the unbroken chain; where two rows follow, either may have come first */
    do
    :: true ->
        j = NONE;
        for (i : 1 .. rows_made) {
            if
            :: rows[i].fate == STORED && rows[i].store == the_store && rows[i].prev == mark[the_store] ->
                if :: j = i :: j != NONE -> skip fi
            :: else
            fi
        }
        if :: j == NONE -> break :: else -> mark[the_store] = j; rows[j].fate = MARKED fi
    od
}

/* An event arrives that is not stored yet. */
#define TAKE(one) \
    :: STEP1(Stored, one) && one <= rows_made && rows[one].fate == SAID -> chosen = one; goto take

/* The answer to the hello that waits: the mark as it is then. */
#define WELCOME(who) \
    :: STEP3(WelcomeSaid, who, sender[who].asked, mark[ledger[who].store]) && \
           sender[who].asked && IF_NEW(sender[who].answer != mark[ledger[who].store]) -> \
       KEEP_ANSWER(who)

#define ABOVE_MARK(row_) (rows[row_].fate == STORED)

proctype Cloud() {
end_idle:
    do
    :: atomic {
    if
    EACH_ARRIVAL(TAKE)
    ONLY_IN_A_LOG(:: STEP1(Duplicate, LOG(1)) && rows[LOG(1)].fate >= STORED )
    EACH_CABINET(WELCOME)
    /* What it says is in the log, and must be true of its disk. */
    ONLY_IN_A_LOG(:: STEP2(AckSaid, LOG(1), mark[LOG(1)]) )
    ONLY_IN_A_LOG(:: STEP1(SingleSaid, LOG(1)) && ABOVE_MARK(LOG(1)) )
    ONLY_IN_A_LOG(:: STEP2(StaleSaid, LOG(1), mark[LOG(1)]) )
    ONLY_IN_A_LOG(:: STEP1(CloudCrash, 0) )
    ONLY_IN_A_LOG(:: STEP2(Charged, LOG(1), charges[LOG(1)]) )
    :: STEP1(CloudCopied, 0) && IF_NEW(restores > 0 && !cloud_copied) -> cloud_copied = 1;
       for (i : 1 .. rows_made) { kept_fate[i] = rows[i].fate }
       for (i : 1 .. STORES - 1) { kept_mark[i] = mark[i] }
       for (i : 1 .. SALES - 1) { kept_charges[i] = charges[i] }
       for (i : 1 .. KEYS - 1) { kept_charge_of[i] = charge_of[i]; kept_total_of[i] = total_of[i] }
    :: STEP1(CloudRestored, 0) && cloud_copied && restores > 0 -> restores--; cut_off = 1;
       for (i : 1 .. rows_made) {
           if :: rows[i].fate >= STORED -> rows[i].was_stored = 1 :: else fi;
           if :: rows[i].fate == MARKED -> rows[i].was_marked = 1 :: else fi;
           if :: rows[i].fate >= STORED && kept_fate[i] < STORED -> rows[i].fate = SAID
              :: rows[i].fate >= STORED && kept_fate[i] >= STORED -> rows[i].fate = kept_fate[i]
              :: else
           fi
       }
       for (i : 1 .. STORES - 1) { mark[i] = kept_mark[i] }
       for (i : 1 .. SALES - 1) { charges[i] = kept_charges[i] }
       for (i : 1 .. KEYS - 1) { charge_of[i] = kept_charge_of[i]; total_of[i] = kept_total_of[i] }
    IN_THE_SEARCH(
    /* Sooner or later every cabinet connects anew.  Until then old events and acks may still arrive, from then on none:
     * a connection takes what is under way with it.  One hello has to mend everything: a second one may never come. */
    :: cut_off -> cut_off = 0; calm = (restores == 0);
       for (i : 1 .. rows_made) {
           rows[i].was_stored = 0; rows[i].was_marked = 0;
           if :: rows[i].fate == SAID -> rows[i].fate = KEPT :: else fi
       }
       for (k : 0 .. CABINETS - 1) {
           sender[k].welcomed = 0; sender[k].asked = 0; sender[k].answer = SILENT; sender[k].freed_then = 0; sender[k].doubt = 0
       }
    )
    fi;
    goto taken;

    /* One transaction: the event, its charge and the mark.  Acks and welcomes are said of what is committed, at any time
     * afterwards and any number of times: a crash between commit and ack, an ack twice and an ack lost are all in this. */
    take:
        rows[chosen].fate = STORED;
        charge(chosen);
        r = chosen;
        move_mark(rows[r].store);
        CHECK_MARK(r);
    taken:
        FORGET_SCRATCH;
        NEXT
    }
    od
}

/* ---- when nothing more can happen ------------------------------------------------------------------------------- */

proctype Rest() {
    atomic {
        timeout ->
        at_rest = 1;
        for (k : 0 .. CABINETS - 1) {
            for (i : 1 .. ledger[k].head) {
                r = ledger[k].row[i];
                assert(!ledger[k].freed[i] || rows[r].fate >= STORED); /* I7: what we hold for stored is stored */
                assert(ledger[k].freed[i] || STUCK_IS_FOR_A_PERSON)    /* nothing waits for ever */
            }
        }
        for (i : 1 .. rows_made) { /* nothing is lost but what a rolled back card never said */
            assert(rows[i].kind != CLOSING || (rows[i].gone && rows[i].fate == KEPT) || charges[rows[i].sale] == 1)
        }
    }
}

init {
    atomic {
        rows_made = 0;
        SIZES;
        for (k : 0 .. CABINETS - 1) { ledger[k].store = 1; sender[k].answer = SILENT }
        runs[0] = 1;
        for (k : 0 .. CABINETS - 1) { run Cabinet(k) }
        run Cloud();
        FORGET_SCRATCH;
        START_CHECKS
    }
}
