// Shows push messages and opens their page. It keeps nothing and answers no request of a page.

self.addEventListener("push", (event) => {
  const { title, path } = event.data.json();
  event.waitUntil(
    self.registration.showNotification(title, {
      data: { path },
      icon: "/static/img/icon-192.png",
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.path));
});
