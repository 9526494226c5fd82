package com.example;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;

/** Holds one token in each way a client library may hold it. Reads them from stdin, one a line, and waits for its end. */
public class TokenCache {
    static String current;
    static final ThreadLocal<String> CONTEXT = new ThreadLocal<>();
    static Map<String, String> constant;
    static final Map<String, String> WEAK = new WeakHashMap<>();
    static final Map<String, String> SORTED = new TreeMap<>();
    static final Map<String, String> BY_TENANT = new ConcurrentHashMap<>();

    String accessToken;
    StringBuilder header = new StringBuilder("Authorization: Bearer ");
    char[] password;
    byte[] body;
    List<String> recent;
    final Session session = new Session();
    final Map<String, String> byUser = new HashMap<>();
    final Map<String, Session> sessions = new LinkedHashMap<>();
    final Properties settings = new Properties();

    static class Session {
        String refreshToken;
    }

    public static void main(String[] arguments) throws Exception {
        TokenCache cache = new TokenCache();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        current = input.readLine();
        CONTEXT.set(input.readLine());
        BY_TENANT.put("contoso", input.readLine());
        cache.accessToken = input.readLine();
        cache.header.append(input.readLine());
        cache.password = input.readLine().toCharArray();
        cache.body = input.readLine().getBytes("UTF-8");
        cache.recent = List.of("none", input.readLine());
        cache.session.refreshToken = input.readLine();
        cache.byUser.put("token", input.readLine());
        cache.byUser.put("other", "nothing");
        Session session = new Session();
        session.refreshToken = input.readLine();
        cache.sessions.put("alice@example.org", session);
        cache.settings.setProperty("api.token", input.readLine());
        cache.session.toString();
        String wide = input.readLine() + " \u2713";
        constant = Map.of("primary", input.readLine(), "secondary", "nothing");
        WEAK.put("weak", input.readLine());
        SORTED.put("first", "nothing");
        SORTED.put("second", input.readLine());
        Thread holder = new Thread(() -> hold(wide, cache), "token-holder");
        holder.setDaemon(true);
        holder.start();
        System.out.println("ready");
        System.in.read();
        System.out.println(cache.hashCode() + current.length());
    }

    static void hold(String onStack, TokenCache cache) {
        try {
            Thread.sleep(3_600_000);
        } catch (InterruptedException ended) {
            System.out.println(onStack.length() + cache.hashCode());
        }
    }
}
