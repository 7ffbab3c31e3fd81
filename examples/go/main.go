// Sends a notification to users: go run . "Your order has been shipped" 1:alice 2:bob
//
// CARILLON_URL says where the hub is (http://localhost:8080). Prints a line for each user: who, and the notification's id.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const attempts = 5

// User is named by id and login together. The id is kept as it is written, so that large numbers are not rounded.
type User struct {
	ID    json.RawMessage `json:"id"`
	Login string          `json:"login"`
}

type Notification struct {
	Target  []User `json:"target"`
	Message string `json:"message"`
	Source  string `json:"source,omitempty"`
}

type Result struct {
	Target         User   `json:"target"`
	NotificationID string `json:"notification_id"`
}

// Problem is an application/problem+json answer.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"error"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	retryAfter time.Duration
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, field := range p.Errors {
		text += fmt.Sprintf("\n  %s: %s", field.Pointer, field.Detail)
	}
	return text
}

var client = &http.Client{Timeout: 10 * time.Second}

// Send stores one notification for each user. All attempts carry the same key, so the hub stores each notification once,
// however often it is asked.
func Send(hub string, notification Notification) ([]Result, error) {
	body, err := json.Marshal(notification)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	pause := time.Second
	for attempt := 1; ; attempt++ {
		results, err := post(hub, body, fmt.Sprintf("%x", key))
		var problem *Problem
		switch {
		case err == nil:
			return results, nil
		// 409: an attempt that seemed lost is still under way.
		case errors.As(err, &problem) && problem.Status != 409 && problem.Status != 503:
			return nil, err
		case attempt == attempts:
			return nil, fmt.Errorf("given up after %d attempts: %w", attempts, err)
		}
		if problem != nil && problem.retryAfter > 0 {
			pause = problem.retryAfter
		}
		fmt.Fprintf(os.Stderr, "%v; trying again in %v\n", err, pause)
		time.Sleep(pause)
		if pause *= 2; pause > 30*time.Second {
			pause = 30 * time.Second
		}
	}
}

func post(hub string, body []byte, key string) ([]Result, error) {
	request, err := http.NewRequest(http.MethodPost, hub+"/api/v1/notify", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusAccepted {
		problem := &Problem{Status: answer.StatusCode, Detail: answer.Status}
		_ = json.Unmarshal(content, problem) // What is no problem document keeps the status line.
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		problem.retryAfter = time.Duration(seconds) * time.Second
		return nil, problem
	}
	var stored struct {
		Results []Result `json:"results"`
	}
	err = json.Unmarshal(content, &stored)
	return stored.Results, err
}

func parseUser(text string) User {
	id, login, _ := strings.Cut(text, ":")
	if _, err := strconv.ParseUint(id, 10, 63); err != nil {
		id = strconv.Quote(id)
	}
	return User{json.RawMessage(id), login}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, `usage: go run . "Your order has been shipped" 1:alice 2:bob`)
		os.Exit(64)
	}
	hub := os.Getenv("CARILLON_URL")
	if hub == "" {
		hub = "http://localhost:8080"
	}
	notification := Notification{Message: os.Args[1], Source: "example"}
	for _, text := range os.Args[2:] {
		notification.Target = append(notification.Target, parseUser(text))
	}
	results, err := Send(hub, notification)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, result := range results {
		fmt.Printf("%s:%s %s\n", strings.Trim(string(result.Target.ID), `"`), result.Target.Login, result.NotificationID)
	}
}
