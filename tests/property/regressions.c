/* regressions.c: see regressions.h. */
#include "regressions.h"

const struct regression regressions[] = {
    /* What may have been cancelled must be looked up, not just planned anew. */
    {"a cancellation without an answer, then booked again", 298,
	"lose-answer      3  0xaa59259b 0x4ba375f3\n"
	"series-book      3  0x43bea567 0x1683a9f3\n"
	"round            5  0x33a2cbeb 0x182d69d0\n"
	"move             9  0x26921e2b 0x9acb64e1\n"
	"delete           8  0xbb09a659 0x4712080f\n"
	"round            1  0xf17549fc 0x220649f8\n"
	"series-book      0  0xa00d2ffb 0xdcb2c6a7\n"},
    /* The reason is part of an action's aim. */
    {"a refused change, and a person changes it meanwhile", 639,
	"book             8  0xd2347c4c 0x1a17e7cf\n"
	"round            9  0x3c65ff7d 0x6fa4b208\n"
	"refuse          10  0x63ed0575 0x29f915d3\n"
	"series-move      5  0x2af4af0b 0xad444349\n"
	"round            4  0x9a12c75c 0x790d08f4\n"
	"person-moves     8  0x49ad1c7d 0xaf64d381\n"},
    {"archived by a person, cancelled, the state lost", 213,
	"book             0  0xd4637479 0xe5b745b3\n"
	"round            6  0x5a51e5fc 0x9eabaafb\n"
	"person-locks     0  0x188175ee 0x176fec28\n"
	"cancel           0  0x602c2cbf 0x9c4792df\n"
	"state-lost       5  0x69208340 0x1375a06b\n"},
    /* A reservation older than the action is not the one it made. */
    {"the state lost, the list hidden, and a crash", 3074,
	"book             1  0x4262ba4f 0x735f2d04\n"
	"series-book      8  0xc8303ddb 0xb32271aa\n"
	"round            5  0xf7a399a6 0xb8bcd7d8\n"
	"crash            8  0x69b4b6c7 0xd82813bf\n"
	"round            7  0xdbc5f010 0x696ef6c9\n"
	"hide             3  0xf1dec714 0xb4b420af\n"
	"round            3  0x71fbda85 0x56b6b8fb\n"
	"round            9  0x343032d4 0xfac81230\n"
	"state-lost       0  0xcfbb1da5 0x17bb8f26\n"
	"series-cancel    2  0xfa2984e7 0xdbbf4911\n"
	"book             8  0x38b2105b 0x65b23adf\n"
	"round            8  0xd572a323 0x61d0f654\n"},
    /* A 404 may be a filter's: it buries nothing. */
    {"a cancellation that a filter hides", 3742,
	"book             5  0x46a3d187 0x12fcc960\n"
	"round            7  0x792895f5 0x7f71ba6f\n"
	"delete           5  0xfe1363f7 0xf8589dcb\n"
	"list-cut         4  0xc0cf87ba 0xed2e0a9\n"
	"round           10  0x6e8239c6 0x6975100\n"
	"hide             1  0x343c80f 0x117f917b\n"
	"round            7  0x68431f17 0x58280fc1\n"
	"round            4  0x6a3173ef 0x1f2357cb\n"
	"series-book      4  0x90e8ee2e 0xb0813e3a\n"
	"person-cancels   5  0xd21faba5 0xcb9890b8\n"},
    {"moved, and then over before anybody looked", 3852,
	"book             2  0xdf4309a0 0xa217b351\n"
	"round            6  0xab2a967f 0x8a5db8e8\n"
	"move             2  0xe2caee0 0x8ef608cd\n"
	"time             8  0xd3a42d3b 0x951c7612\n"
	"time             0  0x1d9bfdb0 0x7a202e8c\n"
	"round           10  0xe836379d 0x135b36ec\n"
	"delete           2  0xc53af714 0x7be88934\n"},
    {"an earlier generation was cancelled, the last is over", 4178,
	"book             5  0xa8985e90 0xd9f34be7\n"
	"round            2  0x490104c7 0xfc1c162d\n"
	"series-cancel    9  0x41e861f2 0xf62d8d0b\n"
	"round            6  0x1445372c 0x10681d2d\n"
	"series-book      6  0xc8cc7934 0x7a12cf02\n"
	"round            8  0x801da6f8 0x93008524\n"
	"series-move      8  0xce2ecbd2 0x98c3f79e\n"
	"time             4  0x9756566d 0xafa44e3d\n"},
    {"made without an answer, then changed on both sides", 4378,
	"crash           10  0x2219e808 0x274e8526\n"
	"round           10  0xcf72d930 0xcb2e00dd\n"
	"round            4  0x687fa2d1 0xd866a98c\n"
	"series-book      5  0x17f297e5 0xa67772a3\n"
	"book             5  0x3263f9b9 0x9398dbfc\n"
	"round            1  0x591a07b5 0x24fe43a2\n"
	"retitle          5  0xaa0c5754 0x1d791c1a\n"
	"person-edits     5  0x87e3fbd0 0x303ae655\n"},
    /* What waited is looked for before it is made after all. */
    {"refused while hidden, the state lost, moved by a person", 7183,
	"book             8  0xdeb94c29 0x764ab807\n"
	"round            1  0x61e03d43 0x89393024\n"
	"hide             5  0x237efa2f 0x762c409b\n"
	"person-moves     8  0xd8c90694 0xe016e679\n"
	"state-lost       0  0x234ebc84 0x28e41e21\n"
	"round            2  0xdbce11b5 0x1b63bc36\n"},
    /* A cancelled generation that no agreement knows was a person's. */
    {"made without an answer, hidden, cancelled by a person", 111414,
	"crash           10  0x9b0bccb9 0x894f371e\n"
	"book             4  0x23bfc2a8 0x137275dd\n"
	"round            1  0x9f6c937d 0xb6a31d26\n"
	"delete           4  0x3edfd56a 0x194ffc0c\n"
	"tentative        7  0x549d997c 0x7e296251\n"
	"round            7  0x26e1e091 0x9259d0f1\n"
	"book             4  0x4b3a968e 0xf2242b08\n"
	"delete           7  0xaf21c36d 0xe64d3240\n"
	"lose-answer      3  0xa1a31613 0x7524821e\n"
	"round            2  0x26e0b889 0xe915aaef\n"
	"book             5  0x4bb4f55b 0xace36b2\n"
	"round            1  0xd12c5305 0x5ff213d5\n"
	"hide             7  0x7e9e7699 0x9495635d\n"
	"person-cancels   4  0x13e465ac 0xf25ecc87\n"
	"round            6  0xa1a770b2 0x58dca80f\n"},
    {"forgotten, while an earlier generation is in the list", 120568,
	"book             6  0xa509cda8 0xf93bfb19\n"
	"round            0  0x1eee177d 0x71b3e98c\n"
	"delete           6  0xb1376692 0x3a31fd18\n"
	"round            5  0xe1a3bb4b 0xef19baa0\n"
	"book             6  0x14c22580 0x5bd8b70a\n"
	"round            9  0x81552f14 0xb1561d53\n"
	"time             4  0x86ee24db 0x91794817\n"
	"round            6  0x1f2f53d5 0xa9e1fb0d\n"
	"series-move      7  0x20a832a 0xd8a56125\n"},
    {"over, moved, refused, and a person moves it meanwhile", 136613,
	"series-book      7  0x13e606de 0x71ca8519\n"
	"series-move      9  0xe1540c4 0x84b5bc77\n"
	"time             0  0x63af16a3 0x89485de0\n"
	"round           10  0xe68bc9cf 0xe737cb69\n"
	"time             0  0x15d0543b 0xb7108af5\n"
	"refuse           6  0xaa3a8b78 0x2ee1dfd7\n"
	"move             6  0x61866ecf 0xd00724e8\n"
	"round            8  0x56955553 0x513b471f\n"
	"person-moves     6  0xedef9ac 0x919df83e\n"},
    {"made without an answer, hidden, moved out of the window", 173375,
	"series-book      3  0x47258ea5 0x2977cf75\n"
	"tentative       10  0x711a4429 0xf3affc6c\n"
	"move             8  0xe024b900 0xc9aee364\n"
	"lose-answer      3  0xdf414675 0xbe8ab285\n"
	"round            7  0x2d0d9890 0x1cb7c9bc\n"
	"accept           7  0x7cbcdea4 0x6223d4b7\n"
	"list-cut         4  0x6338533 0x8d0f88a4\n"
	"round            3  0xcfda08ac 0x8c5ea493\n"
	"round            2  0xa2ee0670 0x8a0495c\n"
	"hide             5  0xa27449a5 0xcc572c5\n"
	"round            8  0x2d588b72 0x68b1ac30\n"
	"person-moves    10  0xa163085e 0x6e335bd1\n"},
    {"made without an answer, hidden, retitled, moved out of the window",
	173375,
	"series-book      3  0x47258ea5 0x2977cf75\n"
	"tentative       10  0x711a4429 0xf3affc6c\n"
	"move             8  0xe024b900 0xc9aee364\n"
	"lose-answer      3  0xdf414675 0xbe8ab285\n"
	"round            7  0x2d0d9890 0x1cb7c9bc\n"
	"accept           7  0x7cbcdea4 0x6223d4b7\n"
	"round            2  0xa2ee0670 0x8a0495c\n"
	"hide             5  0xa27449a5 0xcc572c5\n"
	"list-cut         5  0x2c7a3641 0x23476c06\n"
	"retitle         10  0xcdc01a7 0x8d792a42\n"
	"round            1  0x92258d8f 0x9805e061\n"
	"person-moves    10  0xa163085e 0x6e335bd1\n"},
};
const size_t nregressions = sizeof(regressions) / sizeof(regressions[0]);
