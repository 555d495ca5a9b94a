/* first.h - what nearly all of mediasoup's worker includes, read once for all of its files. */
#ifndef MOIM_BENCH_SFU_WORKER_FIRST_H
#define MOIM_BENCH_SFU_WORKER_FIRST_H

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <FBS/message.h>
#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <flatbuffers/flatbuffers.h>
#include <openssl/ssl.h>
#include <uv.h>

#endif
