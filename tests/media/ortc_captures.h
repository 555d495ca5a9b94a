/* ortc_captures.h - what mediasoup-client 3.18.7 said in Chromium 156: our own captures, with ' in
 * the place of ". */
#ifndef MOIM_TESTS_MEDIA_ORTC_CAPTURES_H
#define MOIM_TESTS_MEDIA_ORTC_CAPTURES_H

/* device.rtpCapabilities, with fewer codecs */
static const char CAPTURED_CAPABILITIES[] =
    "{'codecs':[{'kind':'audio','mimeType':'audio/opus','preferredPayloadType':96,'clockRate':480"
    "00,'channels':2,'parameters':{'minptime':10,'useinbandfec':1},'rtcpFeedback':[{'type':'trans"
    "port-cc','parameter':''},{'type':'nack','parameter':''}]},{'kind':'audio','mimeType':'audio/"
    "PCMU','preferredPayloadType':0,'clockRate':8000,'channels':1,'parameters':{},'rtcpFeedback':"
    "[]},{'kind':'video','mimeType':'video/VP8','preferredPayloadType':97,'clockRate':90000,'para"
    "meters':{},'rtcpFeedback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc','param"
    "eter':''},{'type':'ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'nack','pa"
    "rameter':'pli'}]},{'kind':'video','mimeType':'video/rtx','preferredPayloadType':98,'clockRat"
    "e':90000,'parameters':{'apt':97},'rtcpFeedback':[]},{'kind':'video','mimeType':'video/VP9','"
    "preferredPayloadType':99,'clockRate':90000,'parameters':{'profile-id':0},'rtcpFeedback':[{'t"
    "ype':'goog-remb','parameter':''},{'type':'transport-cc','parameter':''},{'type':'ccm','param"
    "eter':'fir'},{'type':'nack','parameter':''},{'type':'nack','parameter':'pli'}]},{'kind':'vid"
    "eo','mimeType':'video/rtx','preferredPayloadType':100,'clockRate':90000,'parameters':{'apt':"
    "99},'rtcpFeedback':[]},{'kind':'video','mimeType':'video/H264','preferredPayloadType':103,'c"
    "lockRate':90000,'parameters':{'level-asymmetry-allowed':1,'packetization-mode':1,'profile-le"
    "vel-id':'42e01f'},'rtcpFeedback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc'"
    ",'parameter':''},{'type':'ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'na"
    "ck','parameter':'pli'}]},{'kind':'video','mimeType':'video/rtx','preferredPayloadType':104,'"
    "clockRate':90000,'parameters':{'apt':103},'rtcpFeedback':[]},{'kind':'video','mimeType':'vid"
    "eo/H264','preferredPayloadType':105,'clockRate':90000,'parameters':{'level-asymmetry-allowed"
    "':1,'packetization-mode':0,'profile-level-id':'42e01f'},'rtcpFeedback':[{'type':'goog-remb',"
    "'parameter':''},{'type':'transport-cc','parameter':''},{'type':'ccm','parameter':'fir'},{'ty"
    "pe':'nack','parameter':''},{'type':'nack','parameter':'pli'}]},{'kind':'video','mimeType':'v"
    "ideo/rtx','preferredPayloadType':106,'clockRate':90000,'parameters':{'apt':105},'rtcpFeedbac"
    "k':[]},{'kind':'video','mimeType':'video/AV1','preferredPayloadType':115,'clockRate':90000,'"
    "parameters':{'level-idx':5,'profile':0,'tier':0},'rtcpFeedback':[{'type':'goog-remb','parame"
    "ter':''},{'type':'transport-cc','parameter':''},{'type':'ccm','parameter':'fir'},{'type':'na"
    "ck','parameter':''},{'type':'nack','parameter':'pli'}]},{'kind':'video','mimeType':'video/rt"
    "x','preferredPayloadType':116,'clockRate':90000,'parameters':{'apt':115},'rtcpFeedback':[]}]"
    ",'headerExtensions':[{'kind':'audio','uri':'urn:ietf:params:rtp-hdrext:ssrc-audio-level','pr"
    "eferredId':6,'preferredEncrypt':false,'direction':'sendrecv'},{'kind':'video','uri':'urn:iet"
    "f:params:rtp-hdrext:sdes:mid','preferredId':1,'preferredEncrypt':false,'direction':'sendrecv"
    "'},{'kind':'video','uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time','prefe"
    "rredId':4,'preferredEncrypt':false,'direction':'sendrecv'},{'kind':'video','uri':'http://www"
    ".ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','preferredId':5,'preferredE"
    "ncrypt':false,'direction':'sendrecv'},{'kind':'video','uri':'https://aomediacodec.github.io/"
    "av1-rtp-spec/#dependency-descriptor-rtp-header-extension','preferredId':8,'preferredEncrypt'"
    ":false,'direction':'sendrecv'},{'kind':'video','uri':'urn:3gpp:video-orientation','preferred"
    "Id':9,'preferredEncrypt':false,'direction':'sendrecv'},{'kind':'video','uri':'http://www.web"
    "rtc.org/experiments/rtp-hdrext/playout-delay','preferredId':10,'preferredEncrypt':false,'dir"
    "ection':'sendrecv'}]}";

/* Opus */
static const char CAPTURED_AUDIO[] =
    "{'mid':'0','codecs':[{'mimeType':'audio/opus','payloadType':111,'clockRate':48000,'channels'"
    ":2,'parameters':{'minptime':10,'useinbandfec':1},'rtcpFeedback':[{'type':'transport-cc','par"
    "ameter':''},{'type':'nack','parameter':''}]}],'headerExtensions':[{'uri':'urn:ietf:params:rt"
    "p-hdrext:sdes:mid','id':4,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc.org/exp"
    "eriments/rtp-hdrext/abs-send-time','id':2,'encrypt':false,'parameters':{}},{'uri':'http://ww"
    "w.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','id':3,'encrypt':false,'pa"
    "rameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:ssrc-audio-level','id':1,'encrypt':false,'p"
    "arameters':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time','id':5"
    ",'encrypt':false,'parameters':{}}],'encodings':[{'ssrc':1499918396,'dtx':false}],'rtcp':{'cn"
    "ame':'s4AOFZ3LmXKuExDX','reducedSize':true},'msid':'f75129b6-1bfe-4a8e-90c7-f6424987c37b 493"
    "bb51a-fdec-4211-9d53-f1cfc1d16b25'}";

/* VP8 in three encodings */
static const char CAPTURED_SIMULCAST[] =
    "{'mid':'1','codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,'parameters'"
    ":{},'rtcpFeedback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc','parameter':'"
    "'},{'type':'ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'nack','parameter"
    "':'pli'}]},{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{'apt':96"
    "},'rtcpFeedback':[]}],'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':"
    "4,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','i"
    "d':10,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-"
    "stream-id','id':11,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc.org/experiment"
    "s/rtp-hdrext/abs-send-time','id':2,'encrypt':false,'parameters':{}},{'uri':'http://www.ietf."
    "org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','id':3,'encrypt':false,'parameter"
    "s':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time','id':15,'encry"
    "pt':false,'parameters':{}},{'uri':'https://aomediacodec.github.io/av1-rtp-spec/#dependency-d"
    "escriptor-rtp-header-extension','id':12,'encrypt':false,'parameters':{}},{'uri':'urn:3gpp:vi"
    "deo-orientation','id':13,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc.org/expe"
    "riments/rtp-hdrext/playout-delay','id':5,'encrypt':false,'parameters':{}}],'encodings':[{'ac"
    "tive':true,'scalabilityMode':'L1T3','maxBitrate':100000,'rid':'r0','dtx':false},{'active':tr"
    "ue,'scalabilityMode':'L1T3','maxBitrate':300000,'rid':'r1','dtx':false},{'active':true,'scal"
    "abilityMode':'L1T3','maxBitrate':900000,'rid':'r2','dtx':false}],'rtcp':{'cname':'','reduced"
    "Size':true},'msid':'f75129b6-1bfe-4a8e-90c7-f6424987c37b 0fcc1048-5f00-4a27-8263-5702b8defbf"
    "0'}";

/* VP8 in one */
static const char CAPTURED_VIDEO[] =
    "{'mid':'2','codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,'parameters'"
    ":{},'rtcpFeedback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc','parameter':'"
    "'},{'type':'ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'nack','parameter"
    "':'pli'}]},{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{'apt':96"
    "},'rtcpFeedback':[]}],'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':"
    "4,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','i"
    "d':10,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-"
    "stream-id','id':11,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc.org/experiment"
    "s/rtp-hdrext/abs-send-time','id':2,'encrypt':false,'parameters':{}},{'uri':'http://www.ietf."
    "org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','id':3,'encrypt':false,'parameter"
    "s':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time','id':6,'encryp"
    "t':false,'parameters':{}},{'uri':'urn:3gpp:video-orientation','id':13,'encrypt':false,'param"
    "eters':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay','id':5,'encry"
    "pt':false,'parameters':{}}],'encodings':[{'ssrc':1321471864,'rtx':{'ssrc':315905342},'dtx':f"
    "alse}],'rtcp':{'cname':'s4AOFZ3LmXKuExDX','reducedSize':true},'msid':'f75129b6-1bfe-4a8e-90c"
    "7-f6424987c37b 29a2f1b2-b82e-406e-9c15-510c71ac086d'}";

/* H.264 */
static const char CAPTURED_H264[] =
    "{'mid':'3','codecs':[{'mimeType':'video/H264','payloadType':108,'clockRate':90000,'parameter"
    "s':{'level-asymmetry-allowed':1,'packetization-mode':1,'profile-level-id':'42e01f'},'rtcpFee"
    "dback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc','parameter':''},{'type':'"
    "ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'nack','parameter':'pli'}]},{"
    "'mimeType':'video/rtx','payloadType':109,'clockRate':90000,'parameters':{'apt':108},'rtcpFee"
    "dback':[]}],'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':4,'encrypt"
    "':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','id':10,'enc"
    "rypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'"
    ",'id':11,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdre"
    "xt/abs-send-time','id':2,'encrypt':false,'parameters':{}},{'uri':'http://www.ietf.org/id/dra"
    "ft-holmer-rmcat-transport-wide-cc-extensions-01','id':3,'encrypt':false,'parameters':{}},{'u"
    "ri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time','id':6,'encrypt':false,'"
    "parameters':{}},{'uri':'urn:3gpp:video-orientation','id':13,'encrypt':false,'parameters':{}}"
    ",{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay','id':5,'encrypt':false,"
    "'parameters':{}}],'encodings':[{'ssrc':3719248729,'rtx':{'ssrc':2482592537},'dtx':false}],'r"
    "tcp':{'cname':'s4AOFZ3LmXKuExDX','reducedSize':true},'msid':'f75129b6-1bfe-4a8e-90c7-f642498"
    "7c37b d3189921-696f-47fa-b9eb-4bdd5d9b4f41'}";

/* VP9 in layers (L3T3_KEY) */
static const char CAPTURED_VP9[] =
    "{'mid':'4','codecs':[{'mimeType':'video/VP9','payloadType':98,'clockRate':90000,'parameters'"
    ":{'profile-id':0},'rtcpFeedback':[{'type':'goog-remb','parameter':''},{'type':'transport-cc'"
    ",'parameter':''},{'type':'ccm','parameter':'fir'},{'type':'nack','parameter':''},{'type':'na"
    "ck','parameter':'pli'}]},{'mimeType':'video/rtx','payloadType':99,'clockRate':90000,'paramet"
    "ers':{'apt':98},'rtcpFeedback':[]}],'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:s"
    "des:mid','id':4,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp"
    "-stream-id','id':10,'encrypt':false,'parameters':{}},{'uri':'urn:ietf:params:rtp-hdrext:sdes"
    ":repaired-rtp-stream-id','id':11,'encrypt':false,'parameters':{}},{'uri':'http://www.webrtc."
    "org/experiments/rtp-hdrext/abs-send-time','id':2,'encrypt':false,'parameters':{}},{'uri':'ht"
    "tp://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','id':3,'encrypt':fa"
    "lse,'parameters':{}},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',"
    "'id':6,'encrypt':false,'parameters':{}},{'uri':'https://aomediacodec.github.io/av1-rtp-spec/"
    "#dependency-descriptor-rtp-header-extension','id':12,'encrypt':false,'parameters':{}},{'uri'"
    ":'urn:3gpp:video-orientation','id':13,'encrypt':false,'parameters':{}},{'uri':'http://www.we"
    "brtc.org/experiments/rtp-hdrext/playout-delay','id':5,'encrypt':false,'parameters':{}}],'enc"
    "odings':[{'ssrc':2199408640,'rtx':{'ssrc':2977355466},'active':true,'scalabilityMode':'L3T3_"
    "KEY','dtx':false}],'rtcp':{'cname':'s4AOFZ3LmXKuExDX','reducedSize':true},'msid':'f75129b6-1"
    "bfe-4a8e-90c7-f6424987c37b cd3647f0-7fec-4ab8-afcc-8b1af0f89bc5'}";

/* what transport.on("connect") gives */
static const char CAPTURED_DTLS[] =
    "{'role':'client','fingerprints':[{'algorithm':'sha-256','value':'2C:51:92:11:4F:30:EB:FB:78:"
    "97:A8:44:55:7B:F1:B3:91:52:78:06:AA:E9:0C:AE:9D:35:1A:E8:D5:F2:85:D2'}]}";

#endif
