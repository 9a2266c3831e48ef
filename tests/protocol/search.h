/* Exhaustive search: every step may be taken whenever the protocol allows it and it changes something. */
#ifndef SEQS
#define SEQS 10 /* the longest ledger is one less */
#endif
#define ROWS 16
#define STORES 6
#define SALES 5 /* one more than the visits */
#define KEYS SEQS

#include "sizes.h"
#define VISITS c_expr { visits }
#define SIZES                                                                                                       \
    c_code {                                                                                                        \
        now.power_cuts = size("POWER_CUTS"); now.rollbacks = size("ROLLBACKS");                                     \
        now.clones = size("CLONES"); now.restores = size("RESTORES");                                               \
    }

#define STEP1(name, a) true
#define STEP2(name, a, b) true
#define STEP3(name, a, b, c) true
#define STEP4(name, a, b, c, d) true
#define STEP6(name, a, b, c, d, e, f) true
#define NEXT skip
#define IF_NEW(condition) (condition)
#define ONLY_IN_A_LOG(...)
#define IN_THE_SEARCH(...) __VA_ARGS__
#define SHOW_OUTCOME(outcome) skip
#define SHOW_ROWS skip
#define CHECK_FREED(seq_, word) skip
#define CHECK_FREED_ONE(seq_) skip
#define FREES_NOTHING skip
#define CHECK_MARK(row_) skip
#define WITHIN_WINDOW(seq_) skip /* 16 rows at a time: fewer than that are waiting here */
#define ANSWER S.answer /* the newest is enough: an older one would have been heard before that was said */
#define ANSWERS(m) true
#define KEEP_ANSWER(who) sender[who].answer = mark[ledger[who].store]
#define START_CHECKS run Rest()
#define STUCK_IS_FOR_A_PERSON (ledger[k].split_at != NONE && stores_made > 2)

#if SEQS == 10
#define EACH_SEQ(step) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9)
#endif
#define EACH_ROW(step)                                                                                              \
    step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11) step(12) step(13)     \
    step(14) step(15)
#define EACH_ARRIVAL(step) EACH_ROW(step)
#if CABINETS == 2
#define EACH_CABINET(step) step(0) step(1)
#else
#define EACH_CABINET(step) step(0)
#endif
