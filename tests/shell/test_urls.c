/* test_urls.c - the addresses that people open, and who has a port that they would have. */
#include "support.h"

#include "shell/port_owner.h"
#include "shell/urls.h"

#include <errno.h>
#include <unistd.h>

static struct address read_address(const char *text)
{
    struct address address;
    assert_int_equal(address_read(view_of(text), &address), OK);
    return address;
}

static void test_owner(void **state)
{
    (void)state;
    static const enum listen_transport transports[] = { LISTEN_TCP, LISTEN_UDP };
    struct address address = read_address("127.0.0.1:0");
    for (int i = 0; i < 2; i++) {
        char owner[PORT_OWNER_SIZE];
        char wanted[PORT_OWNER_SIZE];
        int fd;
        assert_int_equal(listen_open(&address, transports[i], &fd), OK);
        uint16_t port = listen_port(fd);
        assert_true(port_owner_find(port, transports[i], owner));
        snprintf(wanted, sizeof(wanted), "%.15s (pid %ld)", program_invocation_short_name,
                 (long)getpid());
        assert_string_equal(owner, wanted);
        close(fd);
    }
}

static void add(struct listen_list *list, const char *text)
{
    list->items[list->count++] = read_address(text);
}

static void check_urls(const struct settings *settings, uint32_t machine_count, const char *wanted)
{
    struct address machine[3] = { read_address("192.168.1.5:0"), read_address("10.0.0.2:0"),
                                  read_address("[2001:db8::5]:0") };
    char seen[1024] = "";
    struct urls urls;
    urls_list(settings, machine, machine_count, &urls);
    for (uint32_t i = 0; i < urls.count; i++) {
        strcat(seen, i ? " " : "");
        strcat(seen, urls.items[i]);
    }
    assert_string_equal(seen, wanted);
}

static void test_urls(void **state)
{
    (void)state;
    struct settings settings;
    settings_default(&settings);
    check_urls(&settings, 3,
               "http://localhost:8080/ https://192.168.1.5:8443/ https://10.0.0.2:8443/");
    check_urls(&settings, 0, "http://localhost:8080/ https://localhost:8443/");
    add(&settings.https_listen, "[::]:8443");
    add(&settings.http_listen, "[::]:8080");
    check_urls(&settings, 3,
               "http://localhost:8080/ https://192.168.1.5:8443/ https://10.0.0.2:8443/ "
               "https://[2001:db8::5]:8443/");
    settings.rtc_public_ip.items[settings.rtc_public_ip.count++] = read_address("203.0.113.9:0");
    check_urls(&settings, 1,
               "http://localhost:8080/ https://203.0.113.9:8443/ https://192.168.1.5:8443/ "
               "https://localhost:8443/");

    settings = (struct settings){ 0 };
    check_urls(&settings, 3, "");
    add(&settings.http_listen, "127.0.0.1:80");
    add(&settings.http_listen, "10.0.0.2:8080");
    add(&settings.https_listen, "[::1]:443");
    add(&settings.https_listen, "10.0.0.2:443");
    check_urls(&settings, 3,
               "http://localhost/ http://10.0.0.2:8080/ https://localhost/ https://10.0.0.2/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_urls),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
