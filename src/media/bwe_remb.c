#include "media/bwe_remb.h"

#define SIZE      200 /* bytes of a packet that is made: less is not worth one */
#define FASTER    2.0 /* than it says: not for long, and then nothing */
#define SMOOTHING 0.25
#define LATE      5 /* times too late: nobody looked, and nothing was wanted */

void bwe_remb_heard(struct bwe_remb *remb, usec now, uint64_t bps)
{
    if (remb->bps == 0) {
        remb->media = remb->others = 0;
        remb->at = now;
    }
    remb->bps = (double)bps;
}

void bwe_remb_look(struct bwe_remb *remb, usec now, double wanted_bps)
{
    usec passed = now - remb->at;
    if (passed < BWE_REMB_EACH)
        return;
    double others = remb->others * 8 * (double)USEC_S / (double)passed;
    bool is_late = passed > LATE * BWE_REMB_EACH;
    remb->others_bps += (is_late ? 1 : SMOOTHING) * (others - remb->others_bps);
    remb->fill_bps = remb->bps < wanted_bps ? remb->bps : wanted_bps;
    double due = remb->fill_bps / 8 * (double)BWE_REMB_EACH / (double)USEC_S;
    double missing = due - remb->media * (double)BWE_REMB_EACH / (double)passed;
    remb->missing = !is_late && remb->has_times && missing > SIZE ? (uint32_t)missing : 0;
    remb->media = remb->others = 0;
    remb->at = now;
}

bool bwe_remb_take(struct bwe_remb *remb, struct bwe_probe *probe)
{
    if (remb->missing == 0)
        return false;
    remb->cluster = remb->cluster < UINT8_MAX ? (uint8_t)(remb->cluster + 1) : 1;
    *probe = (struct bwe_probe){ .cluster = remb->cluster,
                                 .packets = 1,
                                 .size = SIZE,
                                 .bytes = remb->missing,
                                 .bps = (uint64_t)(FASTER * remb->fill_bps) };
    remb->missing = 0;
    return true;
}
