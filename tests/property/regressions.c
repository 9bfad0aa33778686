/* regressions.c: see regressions.h. */
#include "regressions.h"

const struct regression regressions[] = {
    {"given another room and back, with the same meeting by hand", 6,
	"twice           0xbfa03020 0xaa2f19df\n"
	"td-swap         0x71edce30 0xa25dd020\n"
	"round           0xfe5a12ba 0xa3ca60bb\n"
	"td-swap         0x5aeabdbe 0x19600aff\n"},
    {"a change of a meeting without an answer is not sent again", 71,
	"meet            0xe96f1a08 0xda932883\n"
	"round           0xd7b9d836 0x86f48c3b\n"
	"reserve         0xecad7d11 0x1a1736df\n"
	"lose-answer     0xf54058d0 0x3c6213f7\n"
	"td-move         0x6e57ef72 0xaccbf400\n"
	"round           0x8cf5774f 0x20b59aae\n"},
    {"the same in the room's own calendar", 121,
	"book-room       0x600038be 0xda8b8083\n"
	"round           0x63bb09c6 0xf9fc33d1\n"
	"lose-answer     0xac2725f2 0xc3b27d4b\n"
	"td-move         0x177ed180 0x4ff8fb9d\n"
	"round           0xd65a1939 0x17189abb\n"},
    {"moved without an answer, then by a person", 98,
	"meet            0x8ffa3eae 0xff3268d3\n"
	"lose-answer     0x8642a269 0xd6018ac5\n"
	"round           0x5f2ae32a 0x48bbab9a\n"
	"busy            0x2157648b 0x5fa9256c\n"
	"move            0xc6b7d439 0x2bd49f0b\n"
	"round           0xe38aa7ca 0x1df8f67f\n"
	"round           0xc0c69198 0x769b35ad\n"
	"td-move         0xbf9be346 0xa22f1435\n"},
    {"given another room while its meeting is being made", 70,
	"fail            0xc6c9fc5e 0x81c88867\n"
	"reserve         0xb74af3fe 0x5d389d58\n"
	"some            0x6fcda22 0xd4d22aa0\n"
	"td-swap         0x9e7103cd 0x9142437f\n"
	"some            0x41f8c77a 0x16f1ad4b\n"},
    {"to Exchange only: nobody is told that the room is lost", 30,
	"direction       0xea0e375d 0xd1196f7a\n"
	"book-room       0xfd3983f5 0x287fb5ee\n"
	"reserve         0x3e6a4cc1 0x7139c090\n"},
    {"cancelled in TOPdesk, then the meeting comes back", 101,
	"meet            0xf80e0909 0x22c8f93\n"
	"meet-series     0xefbcd4ff 0x332240d7\n"
	"some            0xf5e1923a 0xe8a9ec18\n"
	"td-cancel       0xc1eb467 0x78a9b74a\n"
	"some            0xe5f6105b 0x7893ca08\n"
	"cancel          0xdcac1415 0x743857d6\n"
	"move            0xcfcf77b2 0x3cf0b135\n"},
    {"gone while Exchange is read by another interface", 106,
	"meet-series     0x3c3bc55b 0xbfcabe2a\n"
	"round           0x9c32786f 0x2b677482\n"
	"move            0xf40cebbc 0x37c6bd8a\n"
	"other-interface 0xa4f7e7b 0xd36a7b07\n"},
    {"a conflict stays said while its write waits", 106,
	"td-request      0x7bfdf1 0xb768d677\n"
	"meet-series     0x3c3bc55b 0xbfcabe2a\n"
	"meet-series     0x54a18c4e 0x5cea5aa5\n"
	"round           0xf5f466a7 0x932b7078\n"
	"direction       0xcbd553d9 0x4115510b\n"
	"td-move         0x495244ad 0x5355cc74\n"
	"stale           0xcd8205a3 0xcfd53be2\n"
	"round           0x458882f8 0x27be053a\n"
	"round           0x9c32786f 0x2b677482\n"
	"move            0xf40cebbc 0x37c6bd8a\n"
	"some            0xe8346196 0x76b9d659\n"
	"some            0xcbbd0658 0xd31f060a\n"
	"other-interface 0xa4f7e7b 0xd36a7b07\n"},
    {"moved beyond the list, the state lost", 197,
	"meet            0xa9657117 0x5947f48a\n"
	"round           0x8d52e0cd 0xd737e7ec\n"
	"td-move         0xfed3fe00 0x4ec7905d\n"
	"state-lost      0xa6a6fabb 0x4a469cee\n"},
    {"the same of what was made in TOPdesk", 666,
	"reserve         0x2ae3ace3 0xa05b2fe\n"
	"round           0xed5cb939 0x2257ba90\n"
	"td-move         0xc13b405f 0x84ca8d6d\n"
	"state-lost      0xcf9b5a0c 0x6d20237e\n"},
    {"the same, while another's meeting is being made", 666,
	"reserve         0x2ae3ace3 0xa05b2fe\n"
	"round           0xed5cb939 0x2257ba90\n"
	"td-move         0xc13b405f 0x84ca8d6d\n"
	"lose-answer     0xefdb935e 0xf5caedb4\n"
	"reserve         0xc79f1c21 0xe03e6d6c\n"
	"state-lost      0xcf9b5a0c 0x6d20237e\n"
	"round           0x5fa9fdc5 0xd75b555e\n"},
    {"retitled while its meeting is being made", 367,
	"reserve         0x4598a90a 0x428eabc2\n"
	"round           0x6a18b38b 0xe6fedf53\n"
	"td-swap         0xb9a0896c 0xa43a1fc8\n"
	"round           0xe2aad5cd 0x1b78e640\n"
	"some            0x5eacf70c 0x6ca0527b\n"
	"td-retitle      0xd73793a4 0xd42e92d7\n"},
    {"made without an answer, not to be found yet, moved", 485,
	"other-interface 0x35786822 0xcd99dcb5\n"
	"round           0xb137d57a 0x898053b0\n"
	"stale           0x9653b2a9 0x9de77bb5\n"
	"round           0xa6ee722a 0x84181113\n"
	"poll-fails      0xa83df52d 0xd0950d3\n"
	"reserve         0x12f99de7 0x18d354a1\n"
	"lose-answer     0x90744600 0x6156e022\n"
	"round           0x800ed64b 0x7637c228\n"
	"td-move         0x9e33f9d7 0x635abfa6\n"
	"round           0xaddf97ac 0xd5d73c45\n"},
    {"made, refused its link, the state lost, moved", 170,
	"reserve         0xf8b664a6 0x998bdb82\n"
	"refuse          0x16e56b59 0x551200a9\n"
	"round           0xfe0bfa2a 0x191140d1\n"
	"state-lost      0x8a68f442 0x4ad06df5\n"
	"td-move         0xf35cdf35 0xce108e04\n"},
    {"made, the state lost, moved in Outlook", 697,
	"round           0x214735e3 0x33cc7b1c\n"
	"reserve         0xa37e733e 0x4a640a46\n"
	"round           0xf7f19ec 0x432a97dd\n"
	"move            0xd6489b07 0x4df600e1\n"
	"state-lost      0x8f50bdda 0x50d7b15a\n"},
    {"made, the state lost, moved beyond the list", 1001,
	"reserve         0x43338428 0x7feeffb8\n"
	"some            0xe40681d2 0xd31b5d79\n"
	"td-move         0xc30063fe 0x16c0833b\n"
	"state-lost      0xe8649dea 0x10508c7b\n"},
    {"in another room when its own is taken out of ORB", 101,
	"meet            0x643c58ad 0xfcb094b3\n"
	"approve         0x84bfd8b7 0xf05c0156\n"
	"td-swap         0xf2846e18 0x889d414f\n"
	"retire          0xc4a79949 0xb1cadd7c\n"},
    {"in another room, and the meeting moved into the past", 569,
	"book-room       0x340cf052 0xd0510637\n"
	"some            0x51dd6a0e 0xb1cd644b\n"
	"td-swap         0xdfca3e54 0xff5450cb\n"
	"move            0x7502502c 0x181f625c\n"},
    {"given another room, then archived", 612,
	"meet            0xfe39879e 0x585d0558\n"
	"round           0x3ad18a7c 0xc1b1f2ce\n"
	"td-swap         0xdb3aa777 0xd7ff8d3\n"
	"td-lock         0x43b499a9 0xfba8ac4\n"},
    {"cancelled in TOPdesk, then booked anew for another time", 10068,
	"meet            0xd472ba4e 0xb9a1485d\n"
	"round           0x40dd99fd 0x96cea364\n"
	"td-cancel       0x6a345781 0x37d6ca1f\n"
	"round           0xd00b531e 0xb8bb46d1\n"
	"move            0xb28259ce 0x2dd73983\n"
	"reserve         0xef09e92e 0x53ebefe7\n"},
    {"declined in vain, and what was in the way has gone", 10374,
	"reserve         0x42e575df 0x9cc6a12b\n"
	"round           0x5df6dc0b 0x9f4f7412\n"
	"meet            0xffcead5b 0x9668d316\n"
	"td-move         0x8f278d6b 0xcef61536\n"
	"refuse          0x1a2a6a64 0x52bd29b5\n"
	"round           0x4bd3700e 0x304b3c7\n"
	"round           0xf96862ca 0x61959acf\n"
	"round           0x31ebd16b 0xd032f690\n"
	"round           0xec8678ac 0x93cf0557\n"
	"some            0xa3da3ab5 0x1339e3d3\n"
	"td-move         0x5262bbed 0xf335dd0a\n"},
    {"a booking comes into the window by itself", 11096,
	"meet-series     0xcb16913 0x15d87d11\n"
	"some            0xc07b6ca 0x3ddce439\n"
	"time            0xdbd5a57 0xdf9bdfc2\n"
	"time            0xe2e48dcd 0x56c168b4\n"},
    {"taken out of ORB, and back, over another interface", 10747,
	"reserve         0x55641a8f 0x4cee409d\n"
	"td-swap         0xe9b92360 0xc4135c16\n"
	"round           0x5e52c1b 0xfdc5c8a5\n"
	"retire          0x10657a0c 0x3dc60363\n"
	"some            0x3322e015 0x9df6618b\n"
	"other-interface 0x62ad8db3 0x30a0be42\n"
	"retire          0x216cf3dd 0xa06438b4\n"},
    {"retitled in TOPdesk, moved beyond the list, retitled in Outlook", 10675,
	"meet            0xcccaa85f 0x6bcab03a\n"
	"round           0xa6fa79a6 0xe534f5eb\n"
	"reserve         0x213bdab7 0x6c906d83\n"
	"move            0x5a7820dc 0x206cefcd\n"
	"td-cancel       0xe3e42b9f 0x2ee018c9\n"
	"td-retitle      0xc55dfc45 0xf7306d84\n"
	"round           0xe95b7335 0x7e31089a\n"
	"retitle         0xfe3d601e 0xd9aebe69\n"},
    {"retitled while mapd dies before it made the meeting", 13075,
	"fail            0x9fae53d6 0xeabd8262\n"
	"reserve         0xa29fb767 0x176a1691\n"
	"round           0xa2c0adca 0x3f28fbac\n"
	"crash           0xe8591d38 0xf222673c\n"
	"td-retitle      0x6410d66 0x406e5a71\n"
	"round           0x9ae97597 0xfee1916b\n"},
    {"twice the same link, and one in the way of the other", 102,
	"twice           0xd37ce39b 0xf94a2d12\n"
	"td-lock         0xc36e25c4 0xe385519c\n"},
    {"given another room and back while its decline fails", 20322,
	"meet            0x8dfaa034 0x9e3750b1\n"
	"round           0x6d36fcc4 0x434486dd\n"
	"td-swap         0x23012602 0x994ff63d\n"
	"round           0xc9dde9de 0x4ab8420f\n"
	"fail            0xb2e9e54 0x1458aca8\n"
	"round           0xa8eb6355 0x3bd44f83\n"
	"td-swap         0x81705388 0x9ebf9e90\n"},
    {"told that the room is lost, then TOPdesk shows nothing for a while",
	51901,
	"meet            0x31edcfc1 0x25c717d2\n"
	"reserve         0xa755089 0xdd348512\n"
	"approve         0x96b7b9a 0xb6e72d16\n"
	"hide            0x5e31de46 0x6e67d66d\n"
	"round           0x18439d97 0x519f3ea7\n"},
    {"moved over another reservation, and retitled", 1002460,
	"meet-series     0xb65d1639 0x60f8235e\n"
	"book-room       0x69f0d2cc 0x2f691b29\n"
	"td-request      0x320ec4a3 0xf3fbc0bb\n"
	"reserve         0x4513cd09 0x37bf56d3\n"
	"some            0x78fe0ee7 0x927820d\n"
	"move            0x6084b169 0xb02645f5\n"
	"td-request      0x2ded6495 0xf3938ee\n"
	"meet            0x27e7dfb5 0xf4787299\n"
	"retitle         0x5fbe81ae 0x243d2dd2\n"},
    {"meeting made anew after a restart, its text changed meanwhile", 70897,
	"fail            0x3259d258 0xb5e792a7\n"
	"round           0x236eb301 0xf6e29d30\n"
	"reserve         0x9ab2df0b 0x9ebf7cc2\n"
	"round           0x5c74629c 0xea267716\n"
	"round           0x9535f148 0x63b83d5c\n"
	"td-retitle      0x3f868628 0x1abdd895\n"
	"some            0xef5dfb1 0xa1065355\n"
	"other-interface 0x1d839a6a 0x6ae7e364\n"
	"hide            0x9c560eb8 0xf8827ca9\n"
	"round           0x1620374d 0xdc9bf52c\n"},
    {"moved on both sides while Exchange's feed lags", 2003171,
	"meet            0x4ef6589e 0x371f57e6\n"
	"round           0x845a6c48 0x17ae6a67\n"
	"stale           0xb9b09e1d 0x82d4634d\n"
	"move            0xa5d0e801 0x570b3b71\n"
	"td-move         0xa2c6d6b4 0xf3f5f95a\n"
	"round           0x23065ecc 0x37db6740\n"},
    {"moved on both sides while Exchange cannot be read", 2003171,
	"meet            0x4ef6589e 0x371f57e6\n"
	"round           0x845a6c48 0x17ae6a67\n"
	"poll-fails      0xe6beaece 0x76fe15bc\n"
	"move            0xa5d0e801 0x570b3b71\n"
	"td-move         0xa2c6d6b4 0xf3f5f95a\n"
	"round           0x23065ecc 0x37db6740\n"},
};
const size_t nregressions = sizeof(regressions) / sizeof(regressions[0]);
